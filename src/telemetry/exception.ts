// A thrown value as telemetry shows it: type, message, stack and the chain of causes, whatever was thrown, without secrets.
import type { Attributes } from '@opentelemetry/api';
import { isError, messageOf, read } from '../errors/read.ts';
import { cut } from '../redaction/cut.ts';
import { redactor } from '../redaction/current.ts';
import { ATTR_EXCEPTION_MESSAGE, ATTR_EXCEPTION_STACKTRACE, ATTR_EXCEPTION_TYPE } from './semconv.ts';
import { MAX_MESSAGE, MAX_NAME, MAX_STACK } from './text.ts';

const MAX_CAUSES = 4;

/** Describes any thrown value; never throws, whatever its getters do. */
export function exceptionAttributes(thrown: unknown): Attributes {
  const attributes: Attributes = {
    [ATTR_EXCEPTION_TYPE]: cut(exceptionType(thrown), MAX_NAME),
    [ATTR_EXCEPTION_MESSAGE]: redactor().text(messageOf(thrown), MAX_MESSAGE),
  };
  const stack = stackOf(thrown);
  if (stack !== undefined) attributes[ATTR_EXCEPTION_STACKTRACE] = redactor().text(stack, MAX_STACK);
  return attributes;
}

/** The type of a thrown value: the class of an error, else what `typeof` says. */
export function exceptionType(thrown: unknown): string {
  if (!isError(thrown)) return thrown === null ? 'null' : typeof thrown;
  const name = read(thrown, 'name');
  if (typeof name === 'string' && name !== '' && name !== 'Error') return name;
  const className = read(read(thrown, 'constructor'), 'name');
  return typeof className === 'string' && className !== '' ? className : 'Error';
}

function stackOf(thrown: unknown): string | undefined {
  let text: string | undefined;
  const seen = new Set<unknown>();
  for (let next = thrown; isError(next) && !seen.has(next) && seen.size <= MAX_CAUSES; next = read(next, 'cause')) {
    seen.add(next);
    const stack = read(next, 'stack');
    const own = typeof stack === 'string' ? stack : `${exceptionType(next)}: ${messageOf(next)}`;
    text = text === undefined ? own : `${text}\nCaused by: ${own}`;
  }
  return text;
}
