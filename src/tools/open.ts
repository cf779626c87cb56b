// What a stranger may learn of spans and series: how it went, and nothing of hosts, paths, queries or arguments. Anybody in
// the process may have written them, so a key that is open is not enough: its text must look like what belongs there.
import { KNOWN_METHODS } from '../protocol/method.ts';
import { cut } from '../redaction/cut.ts';
import { redactor } from '../redaction/current.ts';
import * as names from '../telemetry/names.ts';
import * as semconv from '../telemetry/semconv.ts';
import type { AttributesAnswer } from './answers.ts';

/** Longest text of a value, in characters. */
export const MAX_TEXT = 200;

type Allows = (text: string) => boolean;

const matching =
  (pattern: RegExp): Allows =>
  (text) =>
    pattern.test(text);
// a class, a code or a word of a closed set; no host, no path, no sentence
const isCode = matching(/^(?:[A-Za-z_$][\w$]{0,63}|-?\d{1,6})$/);
const isName = matching(/^[\w .:-]{1,128}$/);

const OPEN_KEYS: ReadonlyMap<string, Allows> = new Map<string, Allows>([
  ...withPrefix(names, 'ATTR_TOOLSPAN_').map((key) => [key, isCode] as const),
  [names.ATTR_TOOLSPAN_POLICY_NAME, isName],
  [names.ATTR_TOOLSPAN_HEALTH_CHECK, isName],
  [names.METRIC_TOOLSPAN_BULKHEAD_RUNNING, isCode],
  [names.METRIC_TOOLSPAN_BULKHEAD_WAITING, isCode],
  [semconv.ATTR_ERROR_TYPE, isCode],
  [semconv.ATTR_EXCEPTION_TYPE, isCode],
  [semconv.ATTR_GEN_AI_OPERATION_NAME, isCode],
  [semconv.ATTR_GEN_AI_PROMPT_NAME, isName],
  [semconv.ATTR_GEN_AI_TOOL_NAME, isName],
  [semconv.ATTR_HTTP_RESPONSE_STATUS_CODE, isCode],
  [semconv.ATTR_MCP_METHOD_NAME, (text) => KNOWN_METHODS.has(text) || text === names.OTHER],
  [semconv.ATTR_MCP_PROTOCOL_VERSION, matching(/^\d{4}-\d\d-\d\d$/)],
  [semconv.ATTR_NETWORK_PROTOCOL_NAME, isCode],
  [semconv.ATTR_NETWORK_TRANSPORT, isCode],
  [semconv.ATTR_RPC_RESPONSE_STATUS_CODE, isCode],
  ['http.request.method', isCode],
  ['http.request.resend_count', isCode],
]);
const OPEN_EVENTS: ReadonlySet<string> = new Set([...withPrefix(names, 'EVENT_TOOLSPAN_'), semconv.EVENT_EXCEPTION]);

/** Whether a stranger may learn that this event happened by its name. */
export function isOpenEvent(name: string): boolean {
  return OPEN_EVENTS.has(name);
}

/** Whether a stranger may learn that this stands under this key. */
export function isOpen(key: string, value: unknown): boolean {
  const allows = OPEN_KEYS.get(key);
  if (allows === undefined) return false;
  return typeof value === 'number' || typeof value === 'boolean' || (typeof value === 'string' && allows(value));
}

/** Attributes without secrets, each value cut: those that are kept. */
export function shownAttributes(
  attributes: Readonly<Record<string, unknown>>,
  isKept: (key: string, value: unknown) => boolean,
): AttributesAnswer {
  const kept = Object.fromEntries(Object.entries(attributes).filter(([key, value]) => isKept(key, value)));
  const result: Record<string, string | number | boolean> = {};
  for (const [key, value] of Object.entries(redactor().record(kept))) {
    if (typeof value === 'number' || typeof value === 'boolean') result[key] = value;
    else if (value !== null) result[key] = cut(typeof value === 'string' ? value : JSON.stringify(value), MAX_TEXT);
  }
  return result;
}

function withPrefix(module: Readonly<Record<string, unknown>>, prefix: string): string[] {
  return Object.entries(module).flatMap(([name, value]) => (name.startsWith(prefix) ? [String(value)] : []));
}
