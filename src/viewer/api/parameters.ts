// Query parameters: what each may be, read and refused in one place.
import type { WordQuery } from '../store/text-index.ts';
import type { Window } from './shapes.ts';

/** A request that cannot be answered as it is; the message tells the caller why. */
export class BadRequest extends Error {
  override readonly name = 'BadRequest';
}

/** What a parameter may be. */
export interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'path';
  readonly description: string;
  readonly schema: Readonly<Record<string, unknown>>;
  readonly repeated?: boolean;
}

/** A parameter of a query: text, unless it says otherwise. */
export const query = (
  name: string,
  description: string,
  schema: Parameter['schema'] = { type: 'string' },
): Parameter => ({
  name,
  in: 'query',
  description,
  schema,
});

/** The trace that an address names. */
export const TRACE_ID: Parameter = {
  name: 'traceId',
  in: 'path',
  description: '32 hexadecimal digits.',
  schema: { type: 'string' },
};

const ATTRIBUTE: Parameter = {
  ...query('attribute', '`key=value`, the value in any case; of one span or its events. May be given several times.'),
  repeated: true,
};

const MAX_WINDOW_MS = 366 * 86_400_000;
const HOUR_MS = 3_600_000;

export const FROM: Parameter = query('from', 'Since when, in ms since the epoch.', { type: 'number' });
export const TO: Parameter = query('to', 'Until when, in ms since the epoch. Default: now.', { type: 'number' });
export const BINS: Parameter = query('bins', 'Parts of the window. Default: 60.', {
  type: 'integer',
  minimum: 2,
  maximum: 400,
});
export const SERVICE: Parameter = query('service', 'The `service.name` of whoever sent it.');
export const LIMIT: Parameter = query('limit', 'At most so many. Default: 50.', {
  type: 'integer',
  minimum: 1,
  maximum: 1_000,
});
export const AFTER: Parameter = query('after', 'What `next` of the page before said.');
export const TEXT: Parameter = query('text', 'Text in any attribute, event, name or body, in any case.');

/** What traces can be searched by. */
export const TRACE_FILTERS: readonly Parameter[] = [
  SERVICE,
  query('tool', 'The tool that a span calls.'),
  query('method', 'The MCP method of a span.'),
  query('operation', 'The name of a span.'),
  query('outcome', 'How a span ended, as `tool_error`.'),
  query('error_code', 'The `toolspan.error.code` of a span.'),
  query('session', 'The `mcp.session.id` of a span.'),
  query('failed', 'Only traces with a failed span.', { type: 'boolean' }),
  ATTRIBUTE,
  TEXT,
  query('min_duration_ms', 'The trace took at least so long.', { type: 'number', minimum: 0 }),
  query('max_duration_ms', 'The trace took at most so long.', { type: 'number', minimum: 0 }),
  FROM,
  TO,
  query('noise', '`hide` leaves out traces of nothing but pings, notifications and health questions.', {
    type: 'string',
    enum: ['show', 'hide'],
  }),
  query('sort', 'Default: newest.', { type: 'string', enum: ['newest', 'slowest'] }),
  LIMIT,
  AFTER,
];

/** What log records can be searched by. */
export const LOG_FILTERS: readonly Parameter[] = [
  SERVICE,
  query('severity', 'At least this severe: 1 trace, 5 debug, 9 info, 13 warn, 17 error, 21 fatal.', {
    type: 'integer',
    minimum: 1,
    maximum: 24,
  }),
  query('trace_id', 'Only records of this trace.'),
  ATTRIBUTE,
  TEXT,
  FROM,
  TO,
  LIMIT,
  AFTER,
];

/** Parameters as a request gives them. */
export class Given {
  readonly #params: URLSearchParams;
  readonly #path: Readonly<Record<string, string>>;

  constructor(params: URLSearchParams, path: Readonly<Record<string, string>>) {
    this.#params = params;
    this.#path = path;
  }

  path(name: string): string {
    return this.#path[name] ?? '';
  }

  /** Text that is not empty. */
  text(name: string): string | undefined {
    return this.#params.get(name) || undefined;
  }

  all(name: string): string[] {
    return this.#params.getAll(name);
  }

  number(name: string, min: number, max: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (value >= min && value <= max) return value;
    throw new BadRequest(`${name}: expected a number from ${min} to ${max}, got "${text.slice(0, 40)}"`);
  }

  integer(name: string, min: number, max: number): number | undefined {
    const value = this.number(name, min, max);
    if (value === undefined || Number.isInteger(value)) return value;
    throw new BadRequest(`${name}: expected a whole number, got ${value}`);
  }

  flag(name: string): boolean {
    return this.oneOf(name, ['true', 'false']) === 'true';
  }

  oneOf<T extends string>(name: string, values: readonly T[]): T | undefined {
    const text = this.text(name);
    const found = values.find((value) => value === text);
    if (text === undefined || found !== undefined) return found;
    throw new BadRequest(`${name}: expected ${values.join(' or ')}, got "${text.slice(0, 40)}"`);
  }

  time(name: string): number | undefined {
    return this.number(name, 0, Number.MAX_SAFE_INTEGER);
  }

  /** The attributes and the text that are searched for. */
  words(): WordQuery[] {
    const words = this.all('attribute').map((pair): WordQuery => {
      const at = pair.indexOf('=');
      if (at < 1) throw new BadRequest(`attribute: expected key=value, got "${pair.slice(0, 40)}"`);
      return { key: pair.slice(0, at), text: pair.slice(at + 1), whole: true };
    });
    const text = this.text('text');
    return text === undefined ? words : [...words, { text, whole: false }];
  }

  /** The window of a count: the last hour, unless it is said. */
  window(nowMs: number): Window {
    const toMs = this.time('to') ?? nowMs;
    const fromMs = this.time('from') ?? toMs - HOUR_MS;
    if (fromMs < toMs && toMs - fromMs <= MAX_WINDOW_MS) return { fromMs, toMs };
    throw new BadRequest(`from, to: expected a window of up to a year, got ${fromMs} to ${toMs}`);
  }

  /** Two numbers, or a number and an id, as `next` has them. */
  after(): readonly [value: number, id: string] | undefined {
    const text = this.text('after');
    if (text === undefined) return undefined;
    const [value = '', id = ''] = text.split('_', 2);
    if (value !== '' && Number.isFinite(Number(value)) && id !== '') return [Number(value), id];
    throw new BadRequest(`after: expected what "next" of the page before said, got "${text.slice(0, 60)}"`);
  }
}
