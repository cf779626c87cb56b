// Where a trace comes from: the viewer, or the file that it was shared in.
import type { SpanDetail, TraceView } from '../api/shapes.ts';
import { ask } from './query.ts';

/** What a file of a shared trace holds. */
export interface SharedTrace {
  readonly trace: TraceView;
  readonly details: Readonly<Record<string, SpanDetail>>;
}

export interface TraceSource {
  /** False in a file: there is nothing else to go to. */
  readonly live: boolean;
  span(traceId: string, spanId: string): Promise<SpanDetail>;
  /** Ids of the spans that have a text anywhere. */
  find(traceId: string, text: string): Promise<readonly string[]>;
}

export const viewerSource: TraceSource = {
  live: true,
  span: (traceId, spanId) => ask<SpanDetail>(`/api/traces/${traceId}/spans/${spanId}`),
  async find(traceId, text) {
    const { spanIds } = await ask<{ spanIds: string[] }>(
      `/api/traces/${traceId}/find?text=${encodeURIComponent(text)}`,
    );
    return spanIds;
  },
};

export function fileSource({ trace, details }: SharedTrace): TraceSource {
  const texts = new Map<string, string>();
  for (const { spanId, name } of trace.spans) {
    texts.set(spanId, `${name} ${JSON.stringify(details[spanId] ?? {})}`.toLowerCase());
  }
  return {
    live: false,
    span(_, spanId) {
      const detail = details[spanId];
      return detail === undefined
        ? Promise.reject(new Error('The file does not have this span.'))
        : Promise.resolve(detail);
    },
    find(_, text) {
      const needle = text.toLowerCase();
      return Promise.resolve([...texts].filter(([, words]) => words.includes(needle)).map(([spanId]) => spanId));
    },
  };
}
