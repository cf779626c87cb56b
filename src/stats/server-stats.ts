// The figures of one server: a series for each kind of operation and registered tool, bounded in number, and one for all its
// calls together. Pure.
import { Series, type End } from './series.ts';

/** `in`: the server was asked. `out`: it asked its client. */
export type Side = 'in' | 'out';

/** Where operations go when there are too many kinds of them. */
export const OTHER_SERIES = '_other';

const MAX_SERIES = 200;

/** A series with its name: method and target, as in `tools/call forecast`. */
export interface NamedSeries {
  readonly side: Side;
  readonly operation: string;
  readonly series: Series;
}

/** All figures of one server; they outlive its instances. */
export class ServerStats {
  /** Every call of a tool, prompt or resource, whatever its name. */
  readonly calls: Series = new Series();
  /** Reading of the monotonic clock, in ms. */
  readonly startedAt: number;
  /** Wall-clock time of the last failure of the server, in ms since 1970. */
  lastFailureAt: number | undefined;
  readonly #series = { in: new Map<string, Series>(), out: new Map<string, Series>() };

  constructor(startedAt: number) {
    this.startedAt = startedAt;
  }

  /**
   * The series of a kind of operation.
   *
   * @param operation method and target; only names that the server has registered, since the number is bounded.
   */
  series(side: Side, operation: string): Series {
    const bySide = this.#series[side];
    const there = bySide.get(operation);
    if (there !== undefined) return there;
    const full = this.#series.in.size + this.#series.out.size >= MAX_SERIES;
    const name = full ? OTHER_SERIES : operation;
    let series = bySide.get(name);
    if (series === undefined) {
      series = new Series();
      bySide.set(name, series);
    }
    return series;
  }

  /** Records the end of an operation in its series, and of a call in the one of all calls. */
  record(series: Series, isCall: boolean, end: End, ms: number, at: number): void {
    series.record(end, ms, at);
    if (isCall) this.calls.record(end, ms, at);
  }

  /** Every series there is. */
  *[Symbol.iterator](): IterableIterator<NamedSeries> {
    for (const side of ['in', 'out'] as const) {
      for (const [operation, series] of this.#series[side]) yield { side, operation, series };
    }
  }

  /** How many requests the server works on. */
  get inFlight(): number {
    let sum = 0;
    for (const series of this.#series.in.values()) sum += series.inFlight;
    return sum;
  }
}
