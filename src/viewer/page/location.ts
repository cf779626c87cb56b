// The address is the state of the page: going somewhere adds to the history, adjusting a filter replaces the entry.
import { Observable, useObservable } from './observable.ts';

export interface Location {
  readonly path: string;
  readonly params: URLSearchParams;
}

const current = new Observable<Location>(read());

window.addEventListener('popstate', () => current.set(read()));

function read(): Location {
  return { path: window.location.pathname, params: new URLSearchParams(window.location.search) };
}

export function useLocation(): Location {
  return useObservable(current);
}

/** Goes to another view. */
export function go(address: string): void {
  window.history.pushState(null, '', address);
  current.set(read());
  window.scrollTo(0, 0);
}

/** Changes parameters of this view; one that is empty is taken out. */
export function adjust(changes: Readonly<Record<string, string | readonly string[] | undefined>>): void {
  const { path, params } = current.get();
  const next = new URLSearchParams(params);
  for (const [name, value] of Object.entries(changes)) {
    next.delete(name);
    for (const entry of typeof value === 'string' ? [value] : (value ?? [])) if (entry !== '') next.append(name, entry);
  }
  const query = next.toString();
  window.history.replaceState(null, '', query === '' ? path : `${path}?${query}`);
  current.set(read());
}

/** An address of another view that keeps the time range. */
export function href(path: string, params: Readonly<Record<string, string | undefined>> = {}): string {
  const next = new URLSearchParams();
  const range = current.get().params.get('range');
  if (range !== null) next.set('range', range);
  for (const [name, value] of Object.entries(params)) if (value !== undefined && value !== '') next.set(name, value);
  return next.size === 0 ? path : `${path}?${next.toString()}`;
}

/** Lets links within the page be followed without loading it again. */
export function followLinks(): void {
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
    if (link === null || !plain || event.defaultPrevented || link.target !== '' || link.hasAttribute('download'))
      return;
    if (link.origin !== window.location.origin || link.pathname.startsWith('/api/')) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}
