// The time range: chosen once for all views, and kept in the address.
import { adjust, useLocation } from './location.ts';
import { pausedAt, shownUntil } from './live.ts';
import { useObservable } from './observable.ts';

const MINUTE = 60_000;
const RANGES: Readonly<Record<string, number>> = {
  '5m': 5 * MINUTE,
  '15m': 15 * MINUTE,
  '1h': 60 * MINUTE,
  '6h': 360 * MINUTE,
  '24h': 1_440 * MINUTE,
};
export const RANGE_NAMES: readonly string[] = Object.keys(RANGES);
const DEFAULT = '15m';

export interface TimeRange {
  readonly name: string;
  readonly lengthMs: number;
  /** Changes when another range is chosen or the page is held still. */
  readonly key: string;
  /** `from` and `to` as parameters, now; on whole parts where it is divided, so that a chart does not tremble. */
  params(bins?: number): string;
}

export function useRange(): TimeRange {
  const { params } = useLocation();
  const paused = useObservable(pausedAt);
  const chosen = params.get('range') ?? DEFAULT;
  const name = Object.hasOwn(RANGES, chosen) ? chosen : DEFAULT;
  const lengthMs = RANGES[name] ?? 0;
  return {
    name,
    lengthMs,
    key: `${name} ${paused ?? ''}`,
    params(bins = 0) {
      const now = shownUntil();
      const part = bins > 0 ? lengthMs / bins : 1;
      const to = Math.ceil(now / part) * part;
      // a list that is live has no end: what a clock ahead of this one sends belongs to it
      return bins === 0 && paused === undefined ? `from=${to - lengthMs}` : `from=${to - lengthMs}&to=${to}`;
    },
  };
}

export function chooseRange(name: string): void {
  adjust({ range: name === DEFAULT ? undefined : name });
}
