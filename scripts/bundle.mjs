// Puts the modules of each entry into few files: most of what an import costs is finding and reading many small ones.
// Types are tsc's; nothing is minified, and what is shared between entries is shared between the bundles.
import { rolldown } from 'rolldown';
import { buildPage } from './page.mjs';

const bundle = await rolldown({
  input: {
    index: 'src/index.ts',
    'resilience/index': 'src/resilience/index.ts',
    'node/index': 'src/node/index.ts',
    'cli/main': 'src/cli/main.ts',
  },
  platform: 'node',
  external: /^[^./]/,
});
await bundle.write({
  dir: 'dist',
  format: 'esm',
  chunkFileNames: 'chunks/[name].js',
  hashCharacters: 'hex',
  // all entries need these: one file instead of three
  codeSplitting: { groups: [{ name: 'policies', test: /\/src\/(resilience|errors|options|context)/ }] },
});
await bundle.close();
await buildPage('dist/page');
