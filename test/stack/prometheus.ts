// Prometheus as a dashboard asks it.
import { eventually } from '../harness/poll.ts';

export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Alert {
  readonly name: string;
  readonly state: 'pending' | 'firing';
  readonly labels: Readonly<Record<string, string>>;
}

export class Prometheus {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  /** What an expression says now. */
  async query(expr: string): Promise<Series[]> {
    const { result, resultType } = await this.#get<{
      resultType: string;
      result: { metric: Record<string, string>; value: [number, string] }[] | [number, string];
    }>('query', { query: expr });
    if (resultType === 'scalar') return [{ labels: {}, value: Number((result as [number, string])[1]) }];
    return (result as { metric: Record<string, string>; value: [number, string] }[]).map(({ metric, value }) => ({
      labels: metric,
      value: Number(value[1]),
    }));
  }

  /** Waits until an expression has a series that the check likes; any by default. */
  queried(expr: string, check: (series: Series[]) => boolean = (series) => series.length > 0): Promise<Series[]> {
    return eventually(
      `Prometheus answers ${expr}`,
      async () => {
        const series = await this.query(expr);
        return check(series) ? series : undefined;
      },
      30_000,
      250,
    );
  }

  /** When there are samples of one series, in seconds. */
  async times(selector: string, from: number, to: number): Promise<number[]> {
    const { result } = await this.#get<{ result: { values: [number, string][] }[] }>('query', {
      query: `${selector}[${Math.ceil(to - from)}s]`,
      time: `${to}`,
    });
    return (result[0]?.values ?? []).map(([time]) => time);
  }

  async alerts(): Promise<Alert[]> {
    const { alerts } = await this.#get<{
      alerts: { labels: Record<string, string>; state: 'pending' | 'firing' }[];
    }>('alerts');
    return alerts.map(({ labels: { alertname = '', ...labels }, state }) => ({ name: alertname, state, labels }));
  }

  /** Exemplars of the last five minutes: the labels of each. */
  async exemplars(expr: string): Promise<Record<string, string>[]> {
    const now = Date.now() / 1_000;
    const found = await this.#get<{ exemplars: { labels: Record<string, string> }[] }[]>('query_exemplars', {
      query: expr,
      start: `${now - 300}`,
      end: `${now}`,
    });
    return found.flatMap(({ exemplars }) => exemplars.map(({ labels }) => labels));
  }

  /** Names of all metrics. */
  names(): Promise<string[]> {
    return this.#get<string[]>('label/__name__/values');
  }

  /** Every series there is, as its labels. */
  series(match: string): Promise<Record<string, string>[]> {
    return this.#get('series', { 'match[]': match });
  }

  async #get<T>(path: string, query: Record<string, string> = {}): Promise<T> {
    const response = await fetch(`${this.url}/api/v1/${path}?${new URLSearchParams(query).toString()}`, {
      signal: AbortSignal.timeout(20_000),
    });
    const body = (await response.json()) as { status: string; error?: string; data: T };
    if (body.status !== 'success') throw new Error(`Prometheus: ${body.error}\n${query['query'] ?? path}`);
    return body.data;
  }
}
