// What a schema found wrong, of zod 3 and 4: where and why, without the values that came. Pure.
import { cut } from '../redaction/cut.ts';
import { isArray, read, readString } from './read.ts';

/** One thing that is wrong. */
export interface SchemaIssue {
  /** Where it stands, for example `user.emails.0`; empty for the whole. */
  readonly path: string;
  readonly message: string;
  /** What came, only where that was allowed. */
  readonly received?: unknown;
}

const MAX_ISSUES = 20;
const MAX_PATH_PARTS = 16;
const MAX_TEXT = 200;
const NAMES: ReadonlySet<string> = new Set(['ZodError', '$ZodError', 'ZodRealError']);

/**
 * The issues of a zod error; undefined for anything else.
 *
 * @param receivedValues whether what came may be shown.
 */
export function zodIssuesOf(thrown: unknown, receivedValues: boolean): readonly SchemaIssue[] | undefined {
  const name = readString(thrown, 'name');
  if (name === undefined || !NAMES.has(name)) return undefined;
  const issues = read(thrown, 'issues');
  if (!isArray(issues)) return undefined;
  const found: SchemaIssue[] = [];
  const count = Number(read(issues, 'length'));
  for (let index = 0; index < Math.min(count, MAX_ISSUES); index++) {
    const issue = read(issues, String(index));
    found.push({
      path: pathOf(read(issue, 'path')),
      message: messageOf(issue, receivedValues),
      ...(receivedValues && receivedOf(issue)),
    });
  }
  return found;
}

function pathOf(path: unknown): string {
  const parts: string[] = [];
  const count = isArray(path) ? Number(read(path, 'length')) : 0;
  for (let index = 0; index < Math.min(count, MAX_PATH_PARTS); index++) {
    const part = read(path, String(index));
    parts.push(typeof part === 'string' || typeof part === 'number' ? String(part) : '?');
  }
  return cut(parts.join('.'), MAX_TEXT);
}

// zod 3 quotes the value in the messages of enums ("..., received 'x'"); zod 4 names types only.
function messageOf(issue: unknown, receivedValues: boolean): string {
  const message = readString(issue, 'message') ?? 'Invalid';
  const received = read(issue, 'received');
  if (receivedValues || typeof received !== 'string' || readString(issue, 'code') === 'invalid_type') {
    return cut(message, MAX_TEXT);
  }
  const quoted = message.indexOf(`, received '${received}'`);
  return cut(quoted < 0 ? message : message.slice(0, quoted), MAX_TEXT);
}

function receivedOf(issue: unknown): { received?: unknown } {
  const received = read(issue, 'input') ?? read(issue, 'received');
  return received === undefined ? {} : { received };
}
