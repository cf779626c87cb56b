// Jaeger as a user asks it: over its HTTP API, where answers are OTLP/JSON.
import { eventually } from '../harness/poll.ts';
import { fromOtlp, type OtlpTraces, type RecordedSpan } from '../harness/span.ts';

export class Jaeger {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  /** The spans of a trace; none where it is not there. */
  async trace(traceId: string): Promise<RecordedSpan[]> {
    const body = await this.#get(`/api/v3/traces/${traceId}`);
    return body === undefined ? [] : fromOtlp(body.result as OtlpTraces);
  }

  /** Waits until a trace has this many spans. */
  traceOf(traceId: string, spans: number, deadlineMs?: number): Promise<RecordedSpan[]> {
    return this.#awaited(`${spans} spans of`, traceId, ({ length }) => length >= spans, deadlineMs);
  }

  /** Waits until a trace has a span of this kind. */
  traceWith(traceId: string, wanted: (span: RecordedSpan) => boolean): Promise<RecordedSpan[]> {
    return this.#awaited('a span of', traceId, (found) => found.some(wanted));
  }

  #awaited(
    what: string,
    traceId: string,
    enough: (found: RecordedSpan[]) => boolean,
    deadlineMs = 20_000,
  ): Promise<RecordedSpan[]> {
    return eventually(
      `${what} trace ${traceId} in Jaeger`,
      async () => {
        const found = await this.trace(traceId);
        return enough(found) ? found : undefined;
      },
      deadlineMs,
      100,
    );
  }

  /** The latest traces of a service, each span of them. */
  async traces(service: string, count = 100, operation?: string): Promise<RecordedSpan[]> {
    const query = new URLSearchParams({
      'query.service_name': service,
      'query.start_time_min': new Date(Date.now() - 3_600_000).toISOString(),
      'query.start_time_max': new Date(Date.now() + 60_000).toISOString(),
      'query.num_traces': `${count}`,
      ...(operation !== undefined && { 'query.operation_name': operation }),
    });
    const body = await this.#get(`/api/v3/traces?${query.toString()}`);
    return body === undefined ? [] : fromOtlp(body.result as OtlpTraces);
  }

  async services(): Promise<string[]> {
    return ((await this.#get('/api/v3/services')) as { services?: string[] } | undefined)?.services ?? [];
  }

  async #get(path: string): Promise<{ readonly result?: unknown } | undefined> {
    const response = await fetch(`${this.url}${path}`, { signal: AbortSignal.timeout(20_000) });
    const text = await response.text();
    if (response.status === 404) return undefined;
    if (!response.ok) throw new Error(`Jaeger answered ${response.status} to ${path}: ${text.slice(0, 300)}`);
    return JSON.parse(text) as { readonly result?: unknown };
  }
}
