// The built page: its files, compressed once at package time, and its code for the file of a shared trace.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PageCode } from './api/share.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
};
const ENCODINGS = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const;

export class PageFiles {
  readonly #files: ReadonlyMap<string, Buffer>;

  private constructor(files: ReadonlyMap<string, Buffer>) {
    this.#files = files;
  }

  /** Reads the page from the package; in a checkout of the repository it is built first. */
  static async load(): Promise<PageFiles> {
    const packaged = fileURLToPath(new URL('../page/', import.meta.url));
    const folder = existsSync(packaged) ? packaged : await buildFromSources();
    const files = readdirSync(folder).map((name) => [`/${name}`, readFileSync(`${folder}/${name}`)] as const);
    return new PageFiles(new Map(files));
  }

  get code(): PageCode {
    const read = (extension: string) =>
      [...this.#files].find(([name]) => name.endsWith(extension))?.[1].toString('utf8') ?? '';
    return { script: read('.js'), style: read('.css') };
  }

  /** Answers with a file; every other path is one of the page's own views. */
  handle(request: IncomingMessage, response: ServerResponse, path: string): void {
    const name = this.#files.has(path) && path !== '/index.html' ? path : '/index.html';
    if (
      name === '/index.html' &&
      extname(path) !== '' &&
      !path.startsWith('/tools/') &&
      !path.startsWith('/metrics/')
    ) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('there is no such file\n');
      return;
    }
    const accepted = (request.headers['accept-encoding'] ?? '').split(/[ ,;]+/);
    const encoding = ENCODINGS.find(([token, suffix]) => accepted.includes(token) && this.#files.has(name + suffix));
    const body = this.#files.get(name + (encoding?.[1] ?? '')) ?? Buffer.alloc(0);
    response.writeHead(200, {
      'content-type': TYPES[extname(name)] ?? 'application/octet-stream',
      'content-length': body.length,
      // the names of all but the document change with what is in them
      'cache-control': name === '/index.html' ? 'no-cache' : 'private, max-age=31536000, immutable',
      vary: 'accept-encoding',
      ...(encoding !== undefined && { 'content-encoding': encoding[0] }),
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  }
}

// not a literal, so that neither the compiler nor the bundler follows it: the package does not have it
const BUILDER = '../../scripts/page.mjs';

async function buildFromSources(): Promise<string> {
  const builder = (await import(new URL(BUILDER, import.meta.url).href)) as { cachedPage(): Promise<string> };
  return builder.cachedPage();
}
