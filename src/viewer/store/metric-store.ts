// Instruments, their series and the latest points of each. Bounded in number sideways and in bytes altogether.
import { decodeMessage, type Json } from '../otlp/decode.ts';
import { REQUESTS, RESOURCE } from '../otlp/schema.ts';
import { WireReader } from '../otlp/wire.ts';
import { readPoint, type Point } from './metric-points.ts';
import type { Resource, Resources } from './resources.ts';
import { attributesOf, isObject, keyOf, objects, sizeOf, textOf, type Attributes } from './values.ts';
import { encodeMessage } from '../otlp/encode.ts';

export type InstrumentKind = 'gauge' | 'sum' | 'histogram' | 'exponentialHistogram' | 'summary';
const KINDS: readonly InstrumentKind[] = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'];

/** One label set of an instrument, from one resource. */
export interface Series {
  readonly attributes: Attributes;
  readonly resource: Resource;
  /** Oldest first. */
  readonly points: Point[];
}

export interface Instrument {
  readonly name: string;
  readonly kind: InstrumentKind;
  readonly unit: string;
  readonly description: string;
  readonly scope: string;
  readonly monotonic: boolean;
  readonly delta: boolean;
  readonly series: Map<string, Series>;
}

const MAX_INSTRUMENTS = 2_000;
const MAX_SERIES = 2_000;
const MAX_POINTS = 1_000;
const MAX_SCOPE = 1_024;
const DELTA = 1;
const BYTES_PER_INSTRUMENT = 500;
const BYTES_PER_SERIES = 500;
const BYTES_PER_POINT = 72;

export class MetricStore {
  readonly instruments: Map<string, Instrument> = new Map();
  // in the order of their latest point, so that the quietest is the first to go
  readonly #series = new Map<Series, { readonly instrument: Instrument; readonly key: string }>();
  // how many series keep each resource alive
  readonly #uses = new Map<Resource, number>();
  readonly #resources: Resources;
  #bytes = 0;

  constructor(resources: Resources) {
    this.#resources = resources;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Keeps the points of an ExportMetricsServiceRequest; answers how many there were, and how many found no room. */
  add(body: Buffer, nowMs: number, maxSourceBytes: number): { points: number; rejected: number } {
    const request = decodeMessage(REQUESTS.metrics, new WireReader(body));
    let [points, rejected] = [0, 0];
    for (const ofResource of objects(request['resourceMetrics'])) {
      const resourceBytes = encodeMessage(RESOURCE, ofResource['resource'] ?? {});
      const fits = resourceBytes.length <= maxSourceBytes;
      const resource = fits ? this.#resources.resource(resourceBytes) : undefined;
      for (const ofScope of objects(ofResource['scopeMetrics'])) {
        const scope = isObject(ofScope['scope']) ? textOf(ofScope['scope']['name']).slice(0, MAX_SCOPE) : '';
        for (const metric of objects(ofScope['metrics'])) {
          const kind = KINDS.find((name) => isObject(metric[name]));
          if (kind === undefined) continue;
          const list = objects((metric[kind] as Json)['dataPoints']);
          points += list.length;
          const instrument = resource === undefined ? undefined : this.#instrument(metric, kind, scope);
          for (const json of list) {
            const goes = instrument !== undefined && resource !== undefined;
            if (!goes || !this.#addPoint(instrument, resource, json, nowMs)) rejected++;
          }
        }
      }
    }
    return { points, rejected };
  }

  /** Lets go of the quietest series until no more than this is held. */
  shrink(maxBytes: number): void {
    for (const [series, { instrument, key }] of this.#series) {
      if (this.#bytes <= maxBytes) return;
      this.#forget(series, instrument, key);
    }
  }

  /** Lets go of what is older than this. */
  expire(beforeMs: number): void {
    for (const [series, { instrument, key }] of this.#series) {
      if ((series.points.at(-1)?.timeMs ?? 0) >= beforeMs) return;
      this.#forget(series, instrument, key);
    }
  }

  #forget(series: Series, instrument: Instrument, key: string): void {
    this.#series.delete(series);
    instrument.series.delete(key);
    this.#bytes -= seriesBytes(series, key) + series.points.reduce((bytes, point) => bytes + pointBytes(point), 0);
    this.#use(series.resource, -1);
    if (instrument.series.size > 0) return;
    this.instruments.delete(instrument.name);
    this.#bytes -= instrumentBytes(instrument);
  }

  #use(resource: Resource, change: 1 | -1): void {
    const uses = (this.#uses.get(resource) ?? 0) + change;
    if (uses === 0) this.#uses.delete(resource);
    else this.#uses.set(resource, uses);
    if (uses === (change === 1 ? 1 : 0)) this.#bytes += change * resource.bytes;
  }

  #instrument(metric: Json, kind: InstrumentKind, scope: string): Instrument | undefined {
    const name = textOf(metric['name']);
    const known = this.instruments.get(name);
    if (known?.kind === kind) return known;
    if (known !== undefined || name === '' || this.instruments.size >= MAX_INSTRUMENTS) return undefined;
    const data = metric[kind] as Json;
    const made: Instrument = {
      name,
      kind,
      unit: textOf(metric['unit']),
      description: textOf(metric['description']),
      scope,
      monotonic: data['isMonotonic'] === true,
      delta: data['aggregationTemporality'] === DELTA,
      series: new Map(),
    };
    this.instruments.set(name, made);
    this.#bytes += instrumentBytes(made);
    return made;
  }

  #addPoint(instrument: Instrument, resource: Resource, json: Json, nowMs: number): boolean {
    const attributes = attributesOf(json['attributes']);
    const key = `${resource.key}\u0000${keyOf(attributes)}`;
    let series = instrument.series.get(key);
    if (series === undefined) {
      if (instrument.series.size >= MAX_SERIES) return false;
      series = { attributes, resource, points: [] };
      instrument.series.set(key, series);
      this.#bytes += seriesBytes(series, key);
      this.#use(resource, 1);
    }
    const point = readPoint(json, nowMs);
    series.points.push(point);
    this.#bytes += pointBytes(point);
    // late points are rare: the list stays in order
    if (point.timeMs < (series.points.at(-2)?.timeMs ?? 0)) series.points.sort((a, b) => a.timeMs - b.timeMs);
    const oldest = series.points.length > MAX_POINTS ? series.points.shift() : undefined;
    if (oldest !== undefined) this.#bytes -= pointBytes(oldest);
    this.#series.delete(series);
    this.#series.set(series, { instrument, key });
    return true;
  }
}

function instrumentBytes({ name, unit, description, scope }: Instrument): number {
  return BYTES_PER_INSTRUMENT + name.length + unit.length + description.length + scope.length;
}

function seriesBytes({ attributes }: Series, key: string): number {
  return BYTES_PER_SERIES + key.length + sizeOf(attributes);
}

function pointBytes({ distribution, quantiles, exemplars = [] }: Point): number {
  const { explicit, exponential } = distribution ?? {};
  const buckets =
    (explicit?.counts.length ?? 0) +
    (exponential?.counts.length ?? 0) +
    (exponential?.negativeCounts.length ?? 0) +
    (quantiles?.length ?? 0) * 4;
  let bytes = BYTES_PER_POINT + 8 * buckets;
  for (const exemplar of exemplars) bytes += sizeOf(exemplar);
  return bytes;
}
