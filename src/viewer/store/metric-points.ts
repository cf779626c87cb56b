// A point of a metric, of any kind, as numbers.
import type { Json } from '../otlp/decode.ts';
import type { Distribution } from './distribution.ts';
import { isObject, objects, textOf } from './values.ts';

/** A measured value with the trace in which it was measured. */
export interface Exemplar {
  readonly value: number;
  readonly timeMs: number;
  readonly traceId: string;
  readonly spanId: string;
}

export interface Point {
  readonly timeMs: number;
  /** Since when it counts; 0 where that is not said. */
  readonly startMs: number;
  /** Of a gauge or sum; of the others, their sum. */
  readonly value: number;
  readonly distribution?: Distribution | undefined;
  /** Of a summary: quantile and value. */
  readonly quantiles?: readonly (readonly [quantile: number, value: number])[] | undefined;
  readonly exemplars?: readonly Exemplar[] | undefined;
}

const MAX_EXEMPLARS = 4;
const MAX_BUCKETS = 1_024;
// boundaries are the same in every point of a series: one list for all
const boundLists = new Map<string, readonly number[]>();
const MAX_BOUND_LISTS = 500;

/** Reads a data point of any kind. */
export function readPoint(json: Json, nowMs: number): Point {
  const timeMs = millis(json['timeUnixNano']) || nowMs;
  const startMs = millis(json['startTimeUnixNano']);
  const exemplars = exemplarsOf(json['exemplars']);
  const base = { timeMs, startMs, ...(exemplars.length > 0 && { exemplars }) };
  if (json['count'] === undefined) return { ...base, value: number(json['asDouble'] ?? json['asInt']) };
  const count = number(json['count']);
  const sum = number(json['sum']);
  if (Array.isArray(json['bucketCounts'])) {
    const counts = numbers(json['bucketCounts']);
    return { ...base, value: sum, distribution: { count, sum, explicit: { bounds: boundsOf(json), counts } } };
  }
  if (Array.isArray(json['quantileValues'])) {
    const quantiles = json['quantileValues']
      .filter(isObject)
      .slice(0, MAX_BUCKETS)
      .map((entry) => [number(entry['quantile']), number(entry['value'])] as const);
    return { ...base, value: sum, distribution: { count, sum }, quantiles };
  }
  if (json['scale'] === undefined && json['positive'] === undefined) {
    return { ...base, value: sum, distribution: { count, sum } };
  }
  const [positive, negative] = [sideOf(json['positive']), sideOf(json['negative'])];
  const exponential = {
    scale: number(json['scale']),
    zero: number(json['zeroCount']),
    offset: positive.offset,
    counts: positive.counts,
    negativeOffset: negative.offset,
    negativeCounts: negative.counts,
  };
  return { ...base, value: sum, distribution: { count, sum, exponential } };
}

function boundsOf(json: Json): readonly number[] {
  const bounds = numbers(json['explicitBounds']);
  const key = bounds.join(',');
  const known = boundLists.get(key);
  if (known !== undefined) return known;
  if (boundLists.size >= MAX_BOUND_LISTS) boundLists.clear();
  boundLists.set(key, bounds);
  return bounds;
}

function sideOf(value: unknown): { offset: number; counts: number[] } {
  if (!isObject(value)) return { offset: 0, counts: [] };
  return { offset: number(value['offset']), counts: numbers(value['bucketCounts']) };
}

function exemplarsOf(value: unknown): Exemplar[] {
  return objects(value)
    .filter((entry) => textOf(entry['traceId']) !== '')
    .slice(-MAX_EXEMPLARS)
    .map((entry) => ({
      value: number(entry['asDouble'] ?? entry['asInt']),
      timeMs: millis(entry['timeUnixNano']),
      traceId: textOf(entry['traceId']),
      spanId: textOf(entry['spanId']),
    }));
}

function numbers(value: unknown): number[] {
  return Array.isArray(value) ? value.slice(0, MAX_BUCKETS).map(number) : [];
}

function number(value: unknown): number {
  const read = typeof value === 'number' || typeof value === 'string' ? Number(value) : 0;
  return Number.isFinite(read) ? read : 0;
}

function millis(value: unknown): number {
  return number(value) / 1e6;
}
