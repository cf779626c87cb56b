// A thrown value as the attributes of an exception event: type, message, stack and the chain of causes, whatever was thrown.
import type { Attributes } from '@opentelemetry/api';
import { ATTR_EXCEPTION_MESSAGE, ATTR_EXCEPTION_STACKTRACE, ATTR_EXCEPTION_TYPE } from './semconv.ts';
import { cut, MAX_MESSAGE, MAX_NAME, MAX_STACK } from './text.ts';

const MAX_CAUSES = 4;

/** Describes any thrown value; never throws, whatever its getters do. */
export function exceptionAttributes(thrown: unknown): Attributes {
  const attributes: Attributes = {
    [ATTR_EXCEPTION_TYPE]: cut(exceptionType(thrown), MAX_NAME),
    [ATTR_EXCEPTION_MESSAGE]: cut(messageOf(thrown), MAX_MESSAGE),
  };
  const stack = stackOf(thrown);
  if (stack !== undefined) attributes[ATTR_EXCEPTION_STACKTRACE] = cut(stack, MAX_STACK);
  return attributes;
}

/** The type of a thrown value: the class of an error, else what `typeof` says. */
export function exceptionType(thrown: unknown): string {
  if (!isError(thrown)) return thrown === null ? 'null' : typeof thrown;
  const name = read(thrown, 'name');
  if (typeof name === 'string' && name !== '' && name !== 'Error') return name;
  const made = read(thrown, 'constructor');
  const className = typeof made === 'function' ? read(made, 'name') : undefined;
  return typeof className === 'string' && className !== '' ? className : 'Error';
}

function messageOf(thrown: unknown): string {
  if (!isError(thrown)) return printed(thrown);
  const message = read(thrown, 'message');
  return typeof message === 'string' ? message : printed(message);
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

function isError(value: unknown): value is Error {
  try {
    return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]';
  } catch {
    return false;
  }
}

function read(object: object, key: string): unknown {
  try {
    return (object as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}

function printed(value: unknown): string {
  try {
    return String(value);
  } catch {
    return 'a value that cannot be printed';
  }
}
