// Log records as the page shows them.
import { decodeMessage } from '../otlp/decode.ts';
import { LOG_RECORD } from '../otlp/schema.ts';
import { WireReader } from '../otlp/wire.ts';
import type { LogPlace } from '../store/log-store.ts';
import { logNumber, searchLogs, type LogQuery } from '../store/search-logs.ts';
import type { Store } from '../store/store.ts';
import { attributesOf, textOf, valueOf } from '../store/values.ts';
import type { LogList, LogView } from './shapes.ts';

/** One record. */
export function logView(place: LogPlace): LogView {
  const { segment, row } = place;
  const otlp = decodeMessage(LOG_RECORD, new WireReader(segment.raw(row)));
  return {
    id: logNumber(place),
    timeMs: segment.timeMs[row] ?? 0,
    severity: segment.severity[row] ?? 0,
    severityText: textOf(otlp['severityText']),
    eventName: textOf(otlp['eventName']),
    body: valueOf(otlp['body']),
    attributes: attributesOf(otlp['attributes']),
    service: segment.resource(row).service,
    traceId: segment.traceIds[row] ?? '',
    spanId: segment.spanIds[row] ?? '',
  };
}

/** The records that a query finds, newest first. */
export function logList(store: Store, query: LogQuery): LogList {
  const { places, total } = searchLogs(store.logs, query);
  const logs = places.map(logView);
  const last = logs.at(-1);
  const isLast = last === undefined || places.length < query.limit;
  return { logs, total, ...(!isLast && { next: `${last.timeMs}_${last.id}` }) };
}
