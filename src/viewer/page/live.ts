// What keeps the page up to date: the stream of changes, and the button that holds it still.
import type { Change } from '../api/shapes.ts';
import { Observable } from './observable.ts';

/** Whether the viewer can be reached. */
export const connected: Observable<boolean> = new Observable(true);
/** When the page was held still; nothing while it is live. */
export const pausedAt: Observable<number | undefined> = new Observable<number | undefined>(undefined);
/** The latest change. */
export const latestChange: Observable<Change | undefined> = new Observable<Change | undefined>(undefined);

/** Begins to listen; the browser connects again by itself. */
export function startLive(): void {
  const source = new EventSource('/api/events');
  source.addEventListener('open', () => connected.set(true));
  source.addEventListener('error', () => connected.set(false));
  source.addEventListener('change', (event: MessageEvent<string>) => {
    latestChange.set(JSON.parse(event.data) as Change);
  });
}

export function togglePause(): void {
  pausedAt.set(pausedAt.get() === undefined ? Date.now() : undefined);
}

/** The moment up to which things are shown. */
export function shownUntil(): number {
  return pausedAt.get() ?? Date.now();
}
