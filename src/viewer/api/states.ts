// Gauges that tell a state, one series for each with 1 or 0, as lines of states over time.
import {
  ATTR_TOOLSPAN_HEALTH_CHECK,
  ATTR_TOOLSPAN_POLICY_NAME,
  METRIC_TOOLSPAN_CIRCUIT_BREAKER_STATE,
  METRIC_TOOLSPAN_HEALTH_STATUS,
} from '../../telemetry/names.ts';
import type { Series } from '../store/metric-store.ts';
import type { Store } from '../store/store.ts';
import type { Attributes } from '../store/values.ts';
import type { StateTimeline, Window } from './shapes.ts';

interface Change {
  readonly atMs: number;
  readonly state: string;
  readonly traceId?: string | undefined;
}

interface Line {
  readonly name: string;
  readonly service: string;
  readonly attributes: Attributes;
  readonly changes: Change[];
}

const STATE_KEY = /(^|[._])(state|status)$/;

/** The states of circuit breakers; between two readings of the gauge, as the spans saw them change. */
export function breakerTimelines(store: Store, window: Window, service?: string): StateTimeline[] {
  const lines = linesOf(store, METRIC_TOOLSPAN_CIRCUIT_BREAKER_STATE, (attributes) =>
    text(attributes[ATTR_TOOLSPAN_POLICY_NAME]),
  );
  for (const { policy, from, to, atMs, service: sender, traceId } of store.spans.transitions) {
    const key = `${sender}\u0000${policy}`;
    const line = lines.get(key) ?? { name: policy, service: sender, attributes: {}, changes: [] };
    lines.set(key, line);
    if (line.changes.length === 0 && from !== '') line.changes.push({ atMs: 0, state: from });
    line.changes.push({ atMs, state: to, traceId });
  }
  return finish(lines, window, service);
}

/** The health of servers, and of each of their checks. */
export function healthTimelines(store: Store, window: Window, service?: string): StateTimeline[] {
  const checkOf = (attributes: Attributes) => text(attributes[ATTR_TOOLSPAN_HEALTH_CHECK]);
  return finish(linesOf(store, METRIC_TOOLSPAN_HEALTH_STATUS, checkOf), window, service);
}

function linesOf(store: Store, metric: string, nameOf: (attributes: Attributes) => string): Map<string, Line> {
  const lines = new Map<string, Line>();
  for (const series of store.metrics.instruments.get(metric)?.series.values() ?? []) {
    const state = stateOf(series);
    if (state === undefined) continue;
    const name = nameOf(series.attributes);
    const { service } = series.resource;
    const key = `${service}\u0000${name}`;
    const line = lines.get(key) ?? { name, service, attributes: series.attributes, changes: [] };
    lines.set(key, line);
    for (const { timeMs, value } of series.points) if (value === 1) line.changes.push({ atMs: timeMs, state });
  }
  return lines;
}

function stateOf({ attributes }: Series): string | undefined {
  const entry = Object.entries(attributes).find(([key]) => STATE_KEY.test(key));
  return entry === undefined ? undefined : text(entry[1]);
}

function finish(lines: ReadonlyMap<string, Line>, { fromMs, toMs }: Window, wanted?: string): StateTimeline[] {
  return [...lines.values()]
    .filter(({ service }) => wanted === undefined || service === wanted)
    .map(({ name, service, attributes, changes }) => {
      const real: Change[] = [];
      for (const change of changes.toSorted((a, b) => a.atMs - b.atMs)) {
        if (real.at(-1)?.state !== change.state) real.push(change);
      }
      const before = real.findLast(({ atMs }) => atMs <= fromMs);
      const within = real.filter(({ atMs }) => atMs > fromMs && atMs <= toMs);
      return {
        name,
        service,
        attributes,
        now: real.at(-1)?.state ?? '',
        changes: before === undefined ? within : [{ ...before, atMs: fromMs }, ...within],
      };
    })
    .toSorted((a, b) => (a.service + a.name < b.service + b.name ? -1 : 1));
}

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
