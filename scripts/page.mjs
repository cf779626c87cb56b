// Builds the viewer's page: one script and one style sheet with the hash of what is in them, each also compressed.
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const sources = join(root, 'src/viewer/page');
const require = createRequire(import.meta.url);
const LIBRARIES = ['preact', 'uplot', '@tanstack/virtual-core'];

/** Builds the page into a folder, which is made. */
export async function buildPage(folder) {
  const script = await bundle();
  const style = styles();
  const name = (text, extension) => `app-${createHash('sha256').update(text).digest('hex').slice(0, 12)}.${extension}`;
  const files = { [name(script, 'js')]: script, [name(style, 'css')]: style };
  const [scriptName, styleName] = Object.keys(files);
  files['index.html'] = readFileSync(join(sources, 'index.html'), 'utf8')
    .replace('/app.js', `/${scriptName}`)
    .replace('/app.css', `/${styleName}`);
  files['licenses.txt'] = licences();
  mkdirSync(folder, { recursive: true });
  for (const [file, text] of Object.entries(files)) {
    writeFileSync(join(folder, file), text);
    writeFileSync(join(folder, `${file}.gz`), gzipSync(text, { level: 9 }));
    const params = { [constants.BROTLI_PARAM_QUALITY]: 9 };
    writeFileSync(join(folder, `${file}.br`), brotliCompressSync(text, { params }));
  }
}

/** The folder of the page as it is now in the sources; built where it is not there yet. */
export async function cachedPage() {
  const cache = join(root, 'node_modules/.cache/toolspan');
  const folder = join(cache, `page-${hashOfSources()}`);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  // whoever looks at the same time sees all of it or nothing
  const building = mkdtempSync(join(cache, 'building-'));
  try {
    await buildPage(building);
    renameSync(building, folder);
  } catch (error) {
    rmSync(building, { recursive: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

async function bundle() {
  const built = await rolldown({
    input: join(sources, 'main.tsx'),
    platform: 'browser',
    tsconfig: join(sources, 'tsconfig.json'),
    onLog: (level, log) => {
      if (level === 'warn') throw new Error(log.message);
    },
  });
  try {
    const { output } = await built.generate({ format: 'iife', minify: true, postBanner: banner() });
    if (output.length !== 1) throw new Error(`expected one file, got ${output.length}`);
    return output[0].code;
  } finally {
    await built.close();
  }
}

// what is in the bundle keeps its notice, also in the file of a shared trace
function banner() {
  const notices = LIBRARIES.map((name) => `${name}: ${/copyright.*/i.exec(licenceOf(name))?.[0] ?? ''}`);
  return `/*! ${notices.join('; ')}. MIT License, see /licenses.txt */`;
}

function licences() {
  return LIBRARIES.map((name) => `${name}\n\n${licenceOf(name).trim()}\n`).join('\n\n');
}

function licenceOf(name) {
  return readFileSync(join(root, 'node_modules', name, 'LICENSE'), 'utf8');
}

function styles() {
  const own = globSync('style/*.css', { cwd: sources })
    .toSorted()
    .map((file) => readFileSync(join(sources, file), 'utf8'));
  const chart = readFileSync(join(dirname(require.resolve('uplot')), 'uPlot.min.css'), 'utf8');
  return [chart, ...own]
    .join('\n')
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/\s*\n\s*/g, '\n')
    .trim();
}

function hashOfSources() {
  const hash = createHash('sha256');
  const files = [
    'src/viewer/**/*.{ts,tsx,css,html}',
    'src/telemetry/{names,semconv}.ts',
    'scripts/page.mjs',
    'package-lock.json',
  ];
  for (const file of globSync(files, { cwd: root }).toSorted()) hash.update(readFileSync(join(root, file)));
  return hash.digest('hex').slice(0, 16);
}
