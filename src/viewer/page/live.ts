// What keeps the page up to date: the stream of changes, and the button that holds it still. A browser opens six connections
// to one host, so one window listens for all of them.
import type { Change } from '../api/shapes.ts';
import { Observable } from './observable.ts';

/** Whether the viewer can be reached. */
export const connected: Observable<boolean> = new Observable(true);
/** When the page was held still; nothing while it is live. */
export const pausedAt: Observable<number | undefined> = new Observable<number | undefined>(undefined);
/** The latest change. */
export const latestChange: Observable<Change | undefined> = new Observable<Change | undefined>(undefined);

/** What the window that listens tells the others. */
interface News {
  readonly connected: boolean;
  readonly change?: Change | undefined;
}

const NAME = 'toolspan-live';
// something may have come while nobody listened
const ANYTHING: Omit<Change, 'spans' | 'traces'> = { signals: ['traces', 'metrics', 'logs'], traceIds: [] };

/** Begins to listen, or to be told; the browser connects again by itself. */
export function startLive(): void {
  // not there over plain HTTP from another machine
  const { locks } = navigator as { readonly locks?: LockManager };
  if (locks === undefined) {
    listenWhileShown();
    return;
  }
  const channel = new BroadcastChannel(NAME);
  channel.addEventListener('message', ({ data }: MessageEvent<News>) => take(data));
  const tellAll = (news: News) => {
    take(news);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel is of one origin and takes none
    channel.postMessage(news);
  };
  // held until the window is closed
  const lead = (late: boolean) => {
    listen(tellAll, late);
    return new Promise<never>(() => {});
  };
  void locks.request(NAME, { ifAvailable: true }, async (lock) => {
    if (lock === null) void locks.request(NAME, () => lead(true));
    else await lead(false);
  });
}

/** @param late whether there was a time in which nobody listened. */
function listen(tell: (news: News) => void, late: boolean): EventSource {
  const source = new EventSource('/api/events');
  let missed = late;
  source.addEventListener('open', () => {
    tell({ connected: true, ...(missed && { change: { spans: 0, traces: 0, ...latestChange.get(), ...ANYTHING } }) });
    missed = true;
  });
  source.addEventListener('error', () => tell({ connected: false }));
  source.addEventListener('change', (event: MessageEvent<string>) => {
    tell({ connected: true, change: JSON.parse(event.data) as Change });
  });
  return source;
}

function listenWhileShown(): void {
  let source: EventSource | undefined;
  let late = false;
  const turn = () => {
    if (document.visibilityState === 'hidden') {
      source?.close();
      source = undefined;
    } else source ??= listen(take, late);
    late = true;
  };
  document.addEventListener('visibilitychange', turn);
  turn();
}

function take(news: News): void {
  connected.set(news.connected);
  if (news.change !== undefined) latestChange.set(news.change);
}

export function togglePause(): void {
  pausedAt.set(pausedAt.get() === undefined ? Date.now() : undefined);
}

/** The moment up to which things are shown. */
export function shownUntil(): number {
  return pausedAt.get() ?? Date.now();
}
