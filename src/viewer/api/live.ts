// Live updates as server-sent events: that something came, and of which traces; what it is, the page asks for. A page
// that is slow misses nothing by that, and no queue grows for it.
import type { ServerResponse } from 'node:http';
import type { Signal } from '../otlp/schema.ts';
import type { Store } from '../store/store.ts';
import type { Change } from './shapes.ts';

const EVERY_MS = 100;
const HEARTBEAT_MS = 15_000;
const MAX_PAGES = 64;
const MAX_NAMED = 200;
const MAX_UNSENT_BYTES = 64 * 1_024;

interface Page {
  readonly response: ServerResponse;
  readonly signals: Set<Signal>;
  traceIds: Set<string> | undefined;
}

export class LiveUpdates {
  readonly #store: Store;
  readonly #pages = new Set<Page>();
  readonly #stopListening: () => void;
  readonly #heartbeat: NodeJS.Timeout;
  #timer: NodeJS.Timeout | undefined;

  constructor(store: Store) {
    this.#store = store;
    this.#stopListening = store.listen((signal, traceIds) => this.#note(signal, traceIds));
    this.#heartbeat = setInterval(() => {
      for (const { response } of this.#pages) if (hasRoom(response)) response.write(': still here\n\n');
    }, HEARTBEAT_MS).unref();
  }

  /** Keeps a page up to date until it closes the connection. */
  attach(response: ServerResponse): void {
    if (this.#pages.size >= MAX_PAGES) {
      response.writeHead(503, { 'retry-after': '10', 'content-type': 'text/plain' }).end('too many pages are open\n');
      return;
    }
    const page: Page = { response, signals: new Set(), traceIds: new Set() };
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write('retry: 2000\n\n');
    this.#pages.add(page);
    response.once('close', () => this.#pages.delete(page));
  }

  close(): void {
    this.#stopListening();
    clearInterval(this.#heartbeat);
    clearTimeout(this.#timer);
    for (const { response } of this.#pages) response.end();
    this.#pages.clear();
  }

  #note(signal: Signal, traceIds: ReadonlySet<string>): void {
    if (this.#pages.size === 0) return;
    for (const page of this.#pages) {
      page.signals.add(signal);
      for (const traceId of traceIds) {
        if (page.traceIds === undefined) break;
        // too many to name: whoever has a trace open looks again
        if (page.traceIds.size >= MAX_NAMED) page.traceIds = undefined;
        else page.traceIds.add(traceId);
      }
    }
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#send();
    }, EVERY_MS).unref();
  }

  #send(): void {
    const { size: spans, traces } = this.#store.spans;
    for (const page of this.#pages) {
      // one that does not read is told when it does
      if (page.signals.size === 0 || !hasRoom(page.response)) continue;
      const change: Change = {
        signals: [...page.signals],
        traceIds: [...(page.traceIds ?? [])],
        spans,
        traces: traces.size,
      };
      page.signals.clear();
      page.traceIds = new Set();
      page.response.write(`event: change\ndata: ${JSON.stringify(change)}\n\n`);
    }
  }
}

function hasRoom(response: ServerResponse): boolean {
  return response.writableLength < MAX_UNSENT_BYTES;
}
