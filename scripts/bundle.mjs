// Puts the modules of each entry into few files: most of what an import costs is finding and reading many small ones.
// Types are tsc's; nothing is minified, and what is shared between entries is shared between the bundles.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { buildPage } from './page.mjs';

/** Writes the bundles of these entries; gives the folders of the packages that are in them. */
async function write(input, chunks, external, { plugins = [], codeSplitting } = {}) {
  const bundle = await rolldown({ input, platform: 'node', external, plugins });
  const { output } = await bundle.write({
    dir: 'dist',
    format: 'esm',
    chunkFileNames: `${chunks}/[name].js`,
    hashCharacters: 'hex',
    ...(codeSplitting === undefined ? undefined : { codeSplitting }),
  });
  await bundle.close();
  const modules = output.flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : []));
  const folders = modules.flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? []);
  return new Set(folders);
}

// What every start needs: one file instead of twenty.
const CORE =
  /\/src\/(context|diagnostics|settings|errors|redaction|protocol|resilience|stats|state|telemetry|logging|observer)/;

// `wrap` is in the other bundle, by this address from every file of the first.
const wrapApart = {
  name: 'wrap-apart',
  resolveId: (source) => (source.endsWith('/proxy/wrap.ts') ? { id: '../proxy/wrap.js', external: true } : undefined),
};

await write(
  {
    index: 'src/index.ts',
    'resilience/index': 'src/resilience/index.ts',
    'node/index': 'src/node/index.ts',
    'cli/main': 'src/cli/main.ts',
  },
  'chunks',
  /^[^./]/,
  {
    plugins: [wrapApart],
    // `toolspan wrap` needs the first of these, `toolspan/resilience` the second too, and an instrumented server all
    codeSplitting: {
      groups: [
        { name: 'options', test: /\/src\/(options|version)\.ts/, priority: 2 },
        { name: 'policies', test: /\/src\/(resilience|errors|context)/, priority: 1 },
        { name: 'core', test: CORE },
      ],
    },
  },
);
// Every start of a server is felt here, so the SDK comes along, and is loaded when it is needed. The API stays outside: an
// application with a newer copy would find ours registered, and refuse it.
const packages = await write(
  { 'register/index': 'src/register/index.ts', 'proxy/wrap': 'src/proxy/wrap.ts' },
  'register/chunks',
  ['@opentelemetry/api', '@opentelemetry/sdk-node', 'zod', /^node:/],
  { codeSplitting: { groups: [{ name: 'core', test: CORE }] } },
);
const byText = new Map();
for (const folder of [...packages].toSorted()) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file === undefined ? license : readFileSync(join(folder, file), 'utf8').trim();
  byText.set(text, [...(byText.get(text) ?? []), `${name} ${version}`]);
}
const licences = Array.from(byText, ([text, names]) => `${names.join('\n')}\n\n${text}\n`);
writeFileSync('dist/register/licenses.txt', licences.join(`\n${'-'.repeat(80)}\n\n`));
await buildPage('dist/page');
