// Metrics as lines over time: increases of what counts, readings of what does not, quantiles of what is distributed.
import { difference, quantile, sum, type Distribution } from '../store/distribution.ts';
import type { Instrument, Series } from '../store/metric-store.ts';
import type { Point } from '../store/metric-points.ts';
import type { InstrumentSummary, MetricSeries, MetricView, Window } from './shapes.ts';
import { binOf, binTimes } from './statistics.ts';

const MAX_SERIES = 40;
const MAX_EXEMPLARS = 50;
// a series that began this short before its first point has counted from 0
const FRESH_MS = 120_000;

/** An instrument in a list. */
export function instrumentSummary(instrument: Instrument): InstrumentSummary {
  const { name, kind, unit, description, scope, monotonic, series } = instrument;
  return { name, kind, unit, description, scope, monotonic, series: series.size };
}

/** An instrument with its series; where there are several that can be added, all together come first. */
export function metricView(instrument: Instrument, window: Window, bins: number, service?: string): MetricView {
  const all = [...instrument.series.values()].filter(
    ({ resource }) => service === undefined || resource.service === service,
  );
  const meaning = meaningOf(instrument);
  const parts = all.map((series) => ({ series, bins: inBins(instrument, meaning, series, window, bins) }));
  const seconds = (window.toMs - window.fromMs) / 1_000 / bins;
  // quantiles cost the most, and only some of the lines are shown
  const lines = parts
    .map((part) => ({ ...part, value: valuesOf(part.bins, meaning, seconds) }))
    .toSorted((a, b) => (latestOf(b.value) ?? 0) - (latestOf(a.value) ?? 0))
    .slice(0, MAX_SERIES)
    .map((part) => lineOf(part.bins, part.value, meaning, part.series));
  const together =
    parts.length > 1 && meaning !== 'value'
      ? addUp(
          parts.map((part) => part.bins),
          bins,
        )
      : undefined;
  return {
    ...window,
    instrument: instrumentSummary(instrument),
    meaning,
    timesMs: binTimes(window, bins),
    series:
      together === undefined
        ? lines
        : [lineOf(together, valuesOf(together, meaning, seconds), meaning, undefined), ...lines],
    exemplars: all
      .flatMap(({ points }) => points.flatMap(({ exemplars = [] }) => exemplars))
      .filter(({ timeMs }) => timeMs >= window.fromMs && timeMs <= window.toMs)
      .slice(-MAX_EXEMPLARS),
  };
}

/** What was measured in one part of the window. */
interface Bin {
  value: number;
  distribution: Distribution | undefined;
  quantiles: Point['quantiles'];
}

type Meaning = MetricView['meaning'];
type Bins = readonly (Bin | undefined)[];

function meaningOf({ kind, monotonic }: Instrument): Meaning {
  if (kind === 'gauge' || (kind === 'sum' && !monotonic)) return 'value';
  return kind === 'sum' ? 'per second' : 'mean';
}

function inBins(instrument: Instrument, meaning: Meaning, { points }: Series, window: Window, count: number): Bins {
  const bins = Array.from<Bin | undefined>({ length: count });
  const reading = meaning === 'value' && !instrument.delta;
  let level = 0;
  points.forEach((point, index) => {
    level += point.value;
    const { timeMs } = point;
    if (timeMs < window.fromMs || timeMs > window.toMs) return;
    const at = binOf(timeMs, window, count);
    if (reading) bins[at] = { value: point.value, distribution: undefined, quantiles: undefined };
    else if (meaning === 'value') bins[at] = { value: level, distribution: undefined, quantiles: undefined };
    else {
      const grown = instrument.delta ? point : growth(point, points[index - 1]);
      if (grown === undefined) return;
      bins[at] = added(bins[at], { value: grown.value, distribution: grown.distribution, quantiles: point.quantiles });
    }
  });
  return bins;
}

// What a growing series grew by. One that began anew has grown by all that it has.
function growth(point: Point, before: Point | undefined): Pick<Point, 'value' | 'distribution'> | undefined {
  const anew = before === undefined || (before.startMs !== point.startMs && point.startMs > 0);
  if (anew) return before !== undefined || point.timeMs - point.startMs < FRESH_MS ? point : undefined;
  const { distribution } = point;
  if (distribution === undefined || before.distribution === undefined) {
    return { value: point.value < before.value ? point.value : point.value - before.value };
  }
  const grown = difference(distribution, before.distribution);
  return { value: grown.sum, distribution: grown };
}

function added(a: Bin | undefined, b: Bin): Bin {
  if (a === undefined) return b;
  const distribution =
    a.distribution === undefined || b.distribution === undefined ? undefined : sum(a.distribution, b.distribution);
  return { value: a.value + b.value, distribution, quantiles: b.quantiles };
}

function addUp(parts: readonly Bins[], count: number): Bins {
  return Array.from({ length: count }, (_, at) => {
    // a quantile of several summaries cannot be known
    const bins = parts.flatMap((part) => (part[at] === undefined ? [] : [{ ...part[at], quantiles: undefined }]));
    const [first, ...rest] = bins;
    return first === undefined ? undefined : rest.reduce(added, first);
  });
}

type Values = readonly (number | null)[];

function valuesOf(bins: Bins, meaning: Meaning, seconds: number): Values {
  return bins.map((bin) => {
    if (bin === undefined) return null;
    if (meaning === 'value') return bin.value;
    if (meaning === 'per second') return bin.value / seconds;
    const count = bin.distribution?.count ?? 0;
    return count === 0 ? null : bin.value / count;
  });
}

function latestOf(value: Values): number | null {
  return value.findLast((entry) => entry !== null) ?? null;
}

function lineOf(bins: Bins, value: Values, meaning: Meaning, series: Series | undefined): MetricSeries {
  const quantiles = (q: number) =>
    bins.map((bin) => {
      if (bin?.quantiles !== undefined) return bin.quantiles.find(([of]) => of === q)?.[1] ?? null;
      return bin?.distribution === undefined ? null : (quantile(bin.distribution, q) ?? null);
    });
  return {
    attributes: series?.attributes ?? {},
    service: series?.resource.service ?? '',
    value,
    ...(meaning === 'mean' && { p50: quantiles(0.5), p95: quantiles(0.95), p99: quantiles(0.99) }),
    latest: latestOf(value),
  };
}
