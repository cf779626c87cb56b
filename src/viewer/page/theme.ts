// Light or dark: the system's, unless one was chosen.
import { Observable } from './observable.ts';

export type Theme = 'system' | 'light' | 'dark';
const KEY = 'toolspan.theme';
const NEXT: Readonly<Record<Theme, Theme>> = { system: 'light', light: 'dark', dark: 'system' };

export const theme: Observable<Theme> = new Observable<Theme>(stored());
/** Counts up whenever colours change: what draws on a canvas draws again. */
export const colours: Observable<number> = new Observable(0);

export function startTheme(): void {
  apply();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => colours.set(colours.get() + 1));
}

export function nextTheme(): void {
  theme.set(NEXT[theme.get()]);
  try {
    localStorage.setItem(KEY, theme.get());
  } catch {
    // storage is switched off: then it holds until the page is left
  }
  apply();
}

/** A colour of the style sheet, for a canvas. */
export function colour(name: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

function apply(): void {
  document.documentElement.dataset['theme'] = theme.get();
  colours.set(colours.get() + 1);
}

function stored(): Theme {
  try {
    const value = localStorage.getItem(KEY);
    return value === 'light' || value === 'dark' ? value : 'system';
  } catch {
    return 'system';
  }
}
