// Any thrown value to a code of the closed set. Pure; never throws, whatever the value's getters do, and looks at a bounded
// part of it.
import { codeOfAbort } from './aborts.ts';
import { ERROR_CODES, isErrorCode, type ErrorCode, type Fault } from './error-code.ts';
import { codeOfJsonRpc, namedFailureOf, protocolCodeOf } from './error-names.ts';
import { httpFailureOf } from './http-failure.ts';
import { isArray, read } from './read.ts';
import { isToolError } from './tool-error.ts';
import { zodIssuesOf } from './zod-issues.ts';

/** What is known of a failure. */
export interface Classification {
  readonly code: ErrorCode;
  readonly fault: Fault;
  readonly retryable: boolean;
  /** When to try again, in ms from now, where the failure says so. */
  readonly retryAfterMs: number | undefined;
  /** Facts that the caller may see: the details of a `ToolError`, or what a schema found wrong. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

/** What a classifier of one's own says of an error: a code, and what differs from what is usual for it. */
export type Verdict =
  | ErrorCode
  | {
      readonly code: ErrorCode;
      readonly fault?: Fault | undefined;
      readonly retryable?: boolean | undefined;
      readonly retryAfterMs?: number | undefined;
    };

/** Recognises errors that toolspan does not know; undefined for those it does not either. */
export type Classifier = (thrown: unknown) => Verdict | undefined;

/** What a classification may go by beside the thrown value. */
export interface ClassifyOptions {
  /** Asked in turn before anything that toolspan knows, except a `ToolError`. @default none */
  readonly classifiers?: readonly Classifier[] | undefined;
  /** The caller's abort signal: tells a withdrawn call from a time limit. @default unknown */
  readonly signal?: AbortSignal | undefined;
  /** Whether the details of a schema's issues may show the values that came. @default false */
  readonly receivedValues?: boolean | undefined;
  /** The wall clock, in ms since the epoch, for a `Retry-After` that is a date. @default Date.now */
  readonly now?: (() => number) | undefined;
}

const MAX_CAUSES = 5;
const MAX_ERRORS = 5;
const NOTHING = {};

/** Says what a thrown value means. What nobody knows is an `INTERNAL_ERROR`. */
export function classify(thrown: unknown, options: ClassifyOptions = NOTHING): Classification {
  const seen = new Set<unknown>();
  for (
    let next = thrown;
    next !== undefined && !seen.has(next) && seen.size <= MAX_CAUSES;
    next = read(next, 'cause')
  ) {
    seen.add(next);
    const known = classifyOne(next, options) ?? classifyErrors(next, options);
    if (known !== undefined) return known;
  }
  return of('INTERNAL_ERROR');
}

function classifyOne(thrown: unknown, options: ClassifyOptions): Classification | undefined {
  if (isToolError(thrown)) return ofToolError(thrown);
  const verdict = verdictOf(thrown, options.classifiers);
  if (verdict !== undefined) return verdict;
  const issues = zodIssuesOf(thrown, options.receivedValues === true);
  if (issues !== undefined) return { ...of('VALIDATION_ERROR'), details: { issues } };
  const aborted = codeOfAbort(thrown, options.signal);
  if (aborted !== undefined) return of(aborted);
  const protocolCode = protocolCodeOf(thrown);
  const ofProtocol = protocolCode === undefined ? undefined : codeOfJsonRpc(protocolCode);
  if (ofProtocol !== undefined) return of(ofProtocol);
  const http = httpFailureOf(thrown, options.now ?? Date.now);
  if (http !== undefined) return of(http.code, http);
  const named = namedFailureOf(thrown);
  return named === undefined ? undefined : of(named.code, named);
}

// An AggregateError is what its first known error is: all addresses of a host refused, all promises rejected.
function classifyErrors(thrown: unknown, options: ClassifyOptions): Classification | undefined {
  const errors = read(thrown, 'errors');
  if (!isArray(errors)) return undefined;
  const count = Math.min(Number(read(errors, 'length')), MAX_ERRORS);
  for (let index = 0; index < count; index++) {
    const known = classifyOne(read(errors, String(index)), options);
    if (known !== undefined) return known;
  }
  return undefined;
}

// The brand is public to whoever looks for it: what wears it may still be of another shape.
function ofToolError(thrown: object): Classification | undefined {
  const code = read(thrown, 'code');
  if (!isErrorCode(code)) return undefined;
  const details = read(thrown, 'details');
  return {
    ...of(code, { retryable: read(thrown, 'retryable'), retryAfterMs: read(thrown, 'retryAfterMs') }),
    details: typeof details === 'object' && details !== null ? (details as Record<string, unknown>) : undefined,
  };
}

function verdictOf(thrown: unknown, classifiers: readonly Classifier[] | undefined): Classification | undefined {
  for (const classifier of classifiers ?? []) {
    try {
      const verdict: unknown = classifier(thrown);
      const known = isErrorCode(verdict) ? of(verdict) : classificationIn(verdict);
      if (known !== undefined) return known;
    } catch {
      // a classifier that fails knows nothing of this error
    }
  }
  return undefined;
}

/** What an object says of a failure: a code, and what differs from what is usual for it; undefined without a code. */
export function classificationIn(verdict: unknown): Classification | undefined {
  const code = read(verdict, 'code');
  if (!isErrorCode(code)) return undefined;
  return of(code, {
    fault: read(verdict, 'fault'),
    retryable: read(verdict, 'retryable'),
    retryAfterMs: read(verdict, 'retryAfterMs'),
  });
}

function of(
  code: ErrorCode,
  special: { readonly fault?: unknown; readonly retryable?: unknown; readonly retryAfterMs?: unknown } = NOTHING,
): Classification {
  const traits = ERROR_CODES[code];
  const { fault, retryable, retryAfterMs } = special;
  const after = typeof retryAfterMs === 'number' && retryAfterMs >= 0 && retryAfterMs < Number.POSITIVE_INFINITY;
  return {
    code,
    fault: fault === 'caller' || fault === 'server' || fault === 'dependency' ? fault : traits.fault,
    retryable: typeof retryable === 'boolean' ? retryable : traits.retryable,
    retryAfterMs: after ? retryAfterMs : undefined,
  };
}
