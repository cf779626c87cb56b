// The overview and the page of a tool: one pass over the spans for all that is counted.
import type { Store } from '../store/store.ts';
import { searchTraces } from '../store/search.ts';
import type { Overview, ToolView, Window } from './shapes.ts';
import { breakerTimelines, healthTimelines } from './states.ts';
import { CallCounter, eachCall, HeatCounters, OperationCounters, sideOf, TimeCounters } from './statistics.ts';
import { summarise } from './summaries.ts';

const LATEST_FAILURES = 8;
const TRACES_OF_A_TOOL = 8;

/** Counts everything in a window. */
export function overview(store: Store, window: Window, bins: number, service?: string): Overview {
  const side = sideOf(store.spans);
  const operations = new OperationCounters(window);
  const times = new TimeCounters(window, bins);
  eachCall(store.spans, window, side, (call) => {
    if (service !== undefined && call.segment.resource(call.row).service !== service) return;
    operations.add(call);
    times.add(call);
  });
  const failing = searchTraces(store.spans, { ...window, service, failed: true, limit: LATEST_FAILURES });
  return {
    ...window,
    side,
    ...operations.read(),
    series: times.read(),
    breakers: breakerTimelines(store, window, service),
    health: healthTimelines(store, window, service),
    failures: failing.traces.map((trace) => summarise(store, trace)),
  };
}

/** Counts one tool in a window; nothing where it was not called. */
export function toolView(store: Store, tool: string, window: Window, bins: number): ToolView | undefined {
  const counter = new CallCounter(tool, true, window);
  const times = new TimeCounters(window, bins);
  const heat = new HeatCounters(window, bins);
  const errors = new Map<string, number>();
  let calls = 0;
  eachCall(store.spans, window, sideOf(store.spans), (call) => {
    const { segment, row } = call;
    if (segment.text('tool', row) !== tool) return;
    calls++;
    counter.add(call);
    times.add(call);
    heat.add(call);
    if (!call.error) return;
    const code =
      segment.text('errorCode', row) ||
      segment.text('exception', row) ||
      segment.text('errorType', row) ||
      segment.text('outcome', row) ||
      'error';
    errors.set(code, (errors.get(code) ?? 0) + 1);
  });
  const ofTool = { ...window, columns: { tool }, limit: TRACES_OF_A_TOOL };
  const slowest = searchTraces(store.spans, { ...ofTool, sort: 'slowest' });
  if (calls === 0 && slowest.total === 0) return undefined;
  const failing = searchTraces(store.spans, { ...ofTool, failed: true });
  return {
    ...window,
    stats: counter.read(),
    series: times.read(),
    heatmap: heat.read(),
    errors: [...errors].map(([code, count]) => ({ code, count })).toSorted((a, b) => b.count - a.count),
    slowest: slowest.traces.map((trace) => summarise(store, trace)),
    failing: failing.traces.map((trace) => summarise(store, trace)),
  };
}
