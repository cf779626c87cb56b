// Feeds the figures of one server: what is in flight, how each operation ended, and the latest that failed. Works without any
// OpenTelemetry SDK. Calls of our own tools are left out, since they answer about the figures.
import { classify } from '../errors/classify.ts';
import { ERROR_CODES, type ErrorCode } from '../errors/error-code.ts';
import { isToolError } from '../errors/tool-error.ts';
import { targetKindOf } from '../protocol/method.ts';
import type { Ending } from '../protocol/outcome.ts';
import { redactor } from '../redaction/current.ts';
import { cut } from '../redaction/cut.ts';
import { ownToolsOf } from '../state/own-tools.ts';
import { recentErrorsOf, type RecentErrors } from '../state/recent-errors.ts';
import { statsOf } from '../state/stats.ts';
import { endOf, type End } from '../stats/series.ts';
import type { ServerStats } from '../stats/server-stats.ts';
import { exceptionType } from '../telemetry/exception.ts';
import { MAX_NAME } from '../telemetry/text.ts';
import type { LiveOperation } from './live-operation.ts';

const OK = endOf('ok', undefined, 'none');
const MAX_SAFE_MESSAGE = 300;
const NOT_FOUND: ReadonlySet<number> = new Set([-32601, -32002]);

/** The figures of one server, as its connections feed them. */
export class Figures {
  readonly #stats: ServerStats;
  readonly #errors: RecentErrors;
  readonly #ownTools: ReadonlySet<string>;

  readonly #seesHandlers: boolean;

  /**
   * @param name the name of the server in telemetry.
   * @param seesHandlers whether it is known which calls reached a handler.
   */
  constructor(server: object, name: string, seesHandlers = true) {
    this.#seesHandlers = seesHandlers;
    this.#stats = statsOf(name);
    this.#errors = recentErrorsOf(name);
    this.#ownTools = ownToolsOf(server);
  }

  /** Decides whether an operation counts, and counts a request in. */
  begun(operation: LiveOperation): void {
    const { method, target, direction, kind, id } = operation;
    operation.counted = method !== 'tools/call' || target === undefined || !this.#ownTools.has(target);
    if (!operation.counted || id === undefined) return;
    operation.countedIn = this.#stats.series(direction, kind.spanName);
    operation.countedIn.inFlight++;
  }

  /** Counts an operation whose end is decided out, and records how it ended. */
  ended(operation: LiveOperation, ending: Ending, sessionId: string | undefined): void {
    const { direction, kind, id, method, startedAt, endedAt } = operation;
    if (operation.countedIn !== undefined) operation.countedIn.inFlight--;
    const end = ending.outcome === 'ok' ? OK : endOfOperation(operation, ending, this.#seesHandlers);
    // by now the kind may have a name, which was learned from the answer
    const series = this.#stats.series(direction, kind.spanName);
    const isCall = direction === 'in' && id !== undefined && targetKindOf(method) !== undefined;
    this.#stats.record(series, isCall, end, endedAt - startedAt, endedAt);
    if (direction === 'in' && end.code !== undefined && end.blame !== 'none') {
      this.#keep(operation, ending, end, end.code, sessionId);
    }
  }

  #keep(operation: LiveOperation, ending: Ending, end: End, code: ErrorCode, sessionId: string | undefined): void {
    const at = Date.now();
    if (end.blame === 'failure') this.#stats.lastFailureAt = at;
    const { kind, startedAt, endedAt } = operation;
    this.#errors.add({
      at,
      method: kind.methodLabel,
      target: kind.target,
      outcome: ending.outcome,
      code,
      message: safeMessage(operation, ending, end),
      durationMs: endedAt - startedAt,
      traceId: operation.traceId,
      sessionId,
    });
  }
}

function endOfOperation(operation: LiveOperation, ending: Ending, seesHandlers: boolean): End {
  const { outcome } = ending;
  if (outcome === 'input_required') return endOf(outcome, undefined, 'none');
  const code = codeOf(operation, ending, seesHandlers);
  const withdrawn = (outcome === 'cancelled' || outcome === 'aborted') && ending.errorType === undefined;
  if (withdrawn) return endOf(outcome, code, 'none');
  const fault = ending.fault ?? ERROR_CODES[code].fault;
  return endOf(outcome, code, fault === 'caller' ? 'mistake' : 'failure');
}

// Where nobody has found a code yet, the outcome tells what it can.
function codeOf({ thrown, entered }: LiveOperation, ending: Ending, seesHandlers: boolean): ErrorCode {
  const { outcome, errorCode, errorType, statusCode } = ending;
  if (errorCode !== undefined) return errorCode;
  switch (outcome) {
    case 'cancelled':
    case 'aborted':
      return errorType === undefined ? 'CANCELLED' : errorType === 'timeout' ? 'TIMEOUT' : 'UNAVAILABLE';
    case 'expired':
      return 'TIMEOUT';
    case 'protocol_error':
      if (errorType !== undefined) return thrown === undefined ? 'INTERNAL_ERROR' : classify(thrown.value).code;
      return statusCode !== undefined && NOT_FOUND.has(statusCode) ? 'RESOURCE_NOT_FOUND' : 'VALIDATION_ERROR';
    default:
      if (thrown !== undefined) return classify(thrown.value).code;
      // the SDKs refuse bad arguments before any handler runs
      return entered || !seesHandlers ? 'INTERNAL_ERROR' : 'VALIDATION_ERROR';
  }
}

// What a ToolError says is meant for its client, and others may read it here; of any other exception only the type is told.
function safeMessage({ thrown }: LiveOperation, { message, errorType }: Ending, { blame }: End): string {
  if (thrown !== undefined) {
    return isToolError(thrown.value)
      ? redactor().text(thrown.value.message, MAX_SAFE_MESSAGE)
      : cut(exceptionType(thrown.value), MAX_NAME);
  }
  if (blame === 'mistake' && message !== undefined) return redactor().text(message, MAX_SAFE_MESSAGE);
  return errorType === undefined ? 'the arguments were refused' : cut(errorType, MAX_NAME);
}
