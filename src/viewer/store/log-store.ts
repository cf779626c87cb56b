// All log records, by segment; those of a trace are found by its id.
import type { IncomingLog } from '../otlp/read-logs.ts';
import type { Resource, Scope } from './resources.ts';
import { ROWS, Segment } from './segment.ts';
import { Segments, type Place } from './segments.ts';

// of an entry of the map and its list
const BYTES_PER_TRACE = 160;

export class LogSegment extends Segment {
  readonly timeMs: Float64Array = new Float64Array(ROWS);
  readonly severity: Uint8Array = new Uint8Array(ROWS);
  readonly traceIds: string[] = [];
  readonly spanIds: string[] = [];

  override get bytes(): number {
    return super.bytes + ROWS * 9 + this.rows * 120;
  }

  add(log: IncomingLog, timeMs: number, resource: Resource, scope: Scope): number {
    const row = this.append(log.raw, log.words, resource, scope);
    this.timeMs[row] = timeMs;
    this.severity[row] = log.severity;
    this.traceIds[row] = log.traceId;
    this.spanIds[row] = log.spanId;
    return row;
  }
}

/** A log record by its place. */
export type LogPlace = Place<LogSegment>;

export class LogStore {
  readonly #segments = new Segments((number, since) => new LogSegment(number, since));
  readonly #byTrace = new Map<string, number[]>();
  #size = 0;

  get bytes(): number {
    return this.#segments.bytes + this.#byTrace.size * BYTES_PER_TRACE;
  }

  get size(): number {
    return this.#size;
  }

  /** Oldest first. */
  get segments(): readonly LogSegment[] {
    return this.#segments.list;
  }

  get evictableSince(): number | undefined {
    return this.#segments.evictableSince;
  }

  get oldestEndedAt(): number | undefined {
    return this.#segments.oldestEndedAt;
  }

  add(log: IncomingLog, resource: Resource, scope: Scope, nowMs: number, maxSegmentBytes: number): void {
    const segment = this.#segments.openFor(log.raw.length, nowMs, maxSegmentBytes);
    const row = segment.add(log, log.timeMs === 0 ? nowMs : log.timeMs, resource, scope);
    this.#size++;
    if (log.traceId === '') return;
    const number = segment.number * ROWS + row;
    const known = this.#byTrace.get(log.traceId);
    if (known === undefined) this.#byTrace.set(log.traceId, [number]);
    else known.push(number);
  }

  /** The records of a trace, in the order in which they came. */
  ofTrace(traceId: string): LogPlace[] {
    return (this.#byTrace.get(traceId) ?? []).flatMap((number) => this.#segments.place(number) ?? []);
  }

  cut(nowMs: number): void {
    this.#segments.cut(nowMs);
  }

  /** Forgets the oldest segment. */
  evictOldest(): void {
    const oldest = this.#segments.shift();
    if (oldest === undefined) return;
    const end = (oldest.number + 1) * ROWS;
    for (const traceId of new Set(oldest.traceIds)) {
      const left = (this.#byTrace.get(traceId) ?? []).filter((number) => number >= end);
      if (left.length === 0) this.#byTrace.delete(traceId);
      else this.#byTrace.set(traceId, left);
    }
    this.#size -= oldest.rows;
  }
}
