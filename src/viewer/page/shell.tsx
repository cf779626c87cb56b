// What stands around every view: where one is, the time range, whether it is live.
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { connected, pausedAt, togglePause } from './live.ts';
import { href, useLocation } from './location.ts';
import { useObservable } from './observable.ts';
import { chooseRange, RANGE_NAMES, useRange } from './range.ts';
import { nextTheme, theme } from './theme.ts';

const VIEWS: readonly (readonly [path: string, name: string])[] = [
  ['/', 'Overview'],
  ['/traces', 'Traces'],
  ['/tools', 'Tools'],
  ['/logs', 'Logs'],
  ['/metrics', 'Metrics'],
  ['/server', 'Server'],
];

const KEYS: readonly (readonly [keys: string, does: string])[] = [
  ['/', 'Go to the search field'],
  ['p', 'Hold the page still, or go on'],
  ['t', 'Change between system, light and dark'],
  ['g o, g t, g l, g m, g s', 'Overview, traces, logs, metrics, server'],
  ['↑ ↓', 'The row before, the row after'],
  ['← →', 'Collapse, expand'],
  ['Enter', 'Open'],
  ['e', 'The next error in a trace'],
  ['[ ]', 'Collapse all, expand all'],
  ['Esc', 'Close what is open'],
  ['?', 'This list'],
];
const GO: Readonly<Record<string, string>> = { o: '/', t: '/traces', l: '/logs', m: '/metrics', s: '/server' };

export function Shell({ children }: { readonly children: ComponentChildren }): JSX.Element {
  const { path } = useLocation();
  const help = useRef<HTMLDialogElement>(null);
  useShortcuts(help);
  useEffect(() => {
    const name = VIEWS.find(([to]) => isAt(path, to))?.[1] ?? 'Compare';
    document.title = `${name} · toolspan`;
  }, [path]);
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <header class="top">
        <a class="brand" href={href('/')} aria-label="toolspan, overview">
          <Mark /> toolspan
        </a>
        <nav aria-label="Views">
          {VIEWS.map(([to, name]) => (
            <a key={to} href={href(to)} aria-current={isAt(path, to) ? 'page' : undefined}>
              {name}
            </a>
          ))}
        </nav>
        <div class="controls">
          <RangeChoice />
          <Liveness />
          <ThemeButton />
          <button type="button" class="icon" aria-label="Keyboard shortcuts" onClick={() => help.current?.showModal()}>
            ?
          </button>
        </div>
      </header>
      <Unreachable />
      <main id="main" tabIndex={-1}>
        {children}
      </main>
      <dialog ref={help} class="help" aria-label="Keyboard shortcuts">
        <form method="dialog">
          <h2>Keyboard shortcuts</h2>
          <dl>
            {KEYS.map(([keys, does]) => (
              <div key={keys}>
                <dt>
                  <kbd>{keys}</kbd>
                </dt>
                <dd>{does}</dd>
              </div>
            ))}
          </dl>
          <button type="submit">Close</button>
        </form>
      </dialog>
    </>
  );
}

function RangeChoice(): JSX.Element {
  const { name } = useRange();
  return (
    <select
      class="range"
      aria-label="Time range"
      value={name}
      onChange={(event) => chooseRange(event.currentTarget.value)}
    >
      {RANGE_NAMES.map((choice) => (
        <option key={choice} value={choice}>
          last {choice}
        </option>
      ))}
    </select>
  );
}

function Liveness(): JSX.Element {
  const paused = useObservable(pausedAt) !== undefined;
  return (
    <button
      type="button"
      class={`live ${paused ? 'paused' : ''}`}
      aria-pressed={paused}
      onClick={togglePause}
      title="p"
    >
      <i aria-hidden="true" /> {paused ? 'Paused' : 'Live'}
    </button>
  );
}

function ThemeButton(): JSX.Element {
  const chosen = useObservable(theme);
  const sign = { system: '◐', light: '☀', dark: '☾' }[chosen];
  return (
    <button
      type="button"
      class="icon"
      onClick={nextTheme}
      aria-label={`Colours: ${chosen}`}
      title={`Colours: ${chosen}`}
    >
      {sign}
    </button>
  );
}

function Unreachable(): JSX.Element | null {
  const reachable = useObservable(connected);
  const [since, setSince] = useState(reachable);
  useEffect(() => {
    // a connection that is made anew at once is no news
    const timer = setTimeout(() => setSince(reachable), reachable ? 0 : 1_500);
    return () => clearTimeout(timer);
  }, [reachable]);
  return since ? null : (
    <p class="problem banner" role="status">
      The viewer cannot be reached. What is shown is what was there; it goes on by itself.
    </p>
  );
}

function Mark(): JSX.Element {
  return (
    <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
      <rect class="m1" x="1" y="2" width="14" height="3" rx="1" />
      <rect class="m2" x="3" y="6.5" width="9" height="3" rx="1" />
      <rect class="m3" x="6" y="11" width="5" height="3" rx="1" />
    </svg>
  );
}

function isAt(path: string, to: string): boolean {
  return to === '/' ? path === '/' : path === to || path.startsWith(`${to}/`);
}

function useShortcuts(help: { readonly current: HTMLDialogElement | null }): void {
  useEffect(() => {
    let going = false;
    const onKey = (event: KeyboardEvent) => {
      const typing =
        event.target instanceof Element && event.target.closest('input, select, textarea, dialog') !== null;
      if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
      const to = going ? GO[event.key] : undefined;
      going = event.key === 'g';
      if (to !== undefined) document.querySelector<HTMLElement>(`nav a[href^="${to}"]`)?.click();
      else if (event.key === '/') document.querySelector<HTMLElement>('input[type=search]')?.focus();
      else if (event.key === 'p') togglePause();
      else if (event.key === 't') nextTheme();
      else if (event.key === '?') help.current?.showModal();
      else return;
      event.preventDefault();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
}
