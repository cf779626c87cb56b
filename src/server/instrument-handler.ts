// The door to what HTTP refuses before any server sees it: bad JSON, a wrong media type, a missing envelope, and
// `subscriptions/listen`, which the SDK's entry serves by itself.
import { runStored } from '../async-storage.ts';
import { complainAboutFailure } from '../diagnostics.ts';
import { isObserved, noteObserved } from '../observer/connect.ts';
import { doorsDisabled } from '../observer/disabled.ts';
import { exchanges } from '../observer/exchange.ts';
import { ABORTED_IN, CANCELLED, OK } from '../observer/endings.ts';
import { DOOR_OPTION_RULES, type DoorOptions } from '../observer/door-options.ts';
import { recordRefusal, refusalEnding } from '../observer/refusal.ts';
import { checkOptions, objectWith, shown } from '../options.ts';
import { isRecord } from '../protocol/message.ts';
import type { Ending } from '../protocol/outcome.ts';
import { exceptionType } from '../telemetry/exception.ts';
import { signalsFor, type Signals } from '../telemetry/signals.ts';

/** Options of `instrumentHandler`. All have a default. */
export type InstrumentHandlerOptions = Omit<DoorOptions, 'maxOperationMs'>;

type Fetch = (this: unknown, request: Request, ...rest: unknown[]) => Promise<Response>;

const MAX_ANSWER_BYTES = 64 * 1_024;

/**
 * Observes an HTTP handler, such as the one that `createMcpHandler` returns: what it refuses before a server sees it
 * becomes a span too. What reaches a server is the business of `instrumentServer`, and recorded once.
 *
 * @param handler an object with `fetch(request)`.
 * @returns the same handler.
 * @throws {TypeError} for something that is not a handler, an unknown option or one of the wrong type.
 */
export function instrumentHandler<H extends object>(handler: H, options: InstrumentHandlerOptions = {}): H {
  const { tracerProvider, meterProvider } = DOOR_OPTION_RULES;
  checkOptions<InstrumentHandlerOptions>('instrumentHandler', options, { tracerProvider, meterProvider });
  if (!objectWith('fetch').allows(handler)) {
    throw new TypeError(`instrumentHandler: expected an object with fetch(), got ${shown(handler)}`);
  }
  if (doorsDisabled() || isObserved(handler)) return handler;
  try {
    observeFetch(handler, options);
  } catch (error) {
    complainAboutFailure('instrumenting a handler', error);
  }
  return handler;
}

function observeFetch(handler: object, options: InstrumentHandlerOptions): void {
  const signals = signalsFor(options.tracerProvider, options.meterProvider);
  const { fetch } = handler as { fetch?: unknown } as { fetch: Fetch };
  noteObserved(handler);
  Object.defineProperty(handler, 'fetch', {
    configurable: true,
    writable: true,
    enumerable: true,
    value: async function (this: unknown, request: Request, ...rest: unknown[]): Promise<Response> {
      const refusal = new PossibleRefusal(signals, request, rest[0]);
      let response: Response;
      try {
        response = await runStored(exchanges, refusal, fetch, this, request, ...rest);
      } catch (error) {
        refusal.failed(error);
        throw error;
      }
      return refusal.answered(response);
    },
  });
}

/** An exchange that is recorded here only if nothing in it reaches a server. */
class PossibleRefusal {
  dispatched = false;
  readonly #signals: Signals;
  readonly #request: Request;
  readonly #options: unknown;
  readonly #startedAt: number;

  constructor(signals: Signals, request: Request, options: unknown) {
    this.#signals = signals;
    this.#request = request;
    this.#options = options;
    this.#startedAt = signals.clock.now();
  }

  /** Takes note of the answer, and gives the one to hand on: the same, but where its end is awaited. */
  answered(response: Response): Response {
    try {
      // a GET or DELETE carries no message, so there is nothing to be refused
      if (this.dispatched || this.#request.method !== 'POST') return response;
      const { status } = response;
      if (status < 400) {
        if (this.#method() !== 'subscriptions/listen') return response;
        return whenBodyEnds(response, (ending) => this.#record(ending, this.#signals.clock.now(), status));
      }
      const endedAt = this.#signals.clock.now();
      void errorOf(response).then((error) => this.#record(refusalEnding(status, error), endedAt, status));
    } catch (error) {
      complainAboutFailure('recording a refused request', error);
    }
    return response;
  }

  failed(error: unknown): void {
    if (this.dispatched || this.#request?.method !== 'POST') return;
    this.#record({ outcome: 'aborted', errorType: exceptionType(error) }, this.#signals.clock.now(), undefined);
  }

  #record(ending: Ending, endedAt: number, status: number | undefined): void {
    const { headers } = this.#request;
    recordRefusal(this.#signals, {
      startedAt: this.#startedAt,
      endedAt,
      method: this.#method(),
      header: (name) => headers.get(name) ?? undefined,
      ending,
      status,
    });
  }

  // The body is the handler's to read: what is known of it is what the headers say, or a parser has read before.
  #method(): string | undefined {
    const named = this.#request.headers.get('mcp-method');
    if (named !== null) return named;
    const body = isRecord(this.#options) ? this.#options['parsedBody'] : undefined;
    const method = isRecord(body) ? body['method'] : undefined;
    return typeof method === 'string' ? method : undefined;
  }
}

async function errorOf(response: Response): Promise<unknown> {
  const length = Number(response.headers.get('content-length') ?? 0);
  const json = response.headers.get('content-type')?.startsWith('application/json') === true;
  if (!json || length > MAX_ANSWER_BYTES || response.bodyUsed) return undefined;
  try {
    const body: unknown = await response.clone().json();
    return isRecord(body) ? body['error'] : undefined;
  } catch {
    return undefined;
  }
}

/** The same answer, whose body tells when it has ended: sent whole, cancelled by its reader, or broken. */
function whenBodyEnds(response: Response, ended: (ending: Ending) => void): Response {
  if (response.body === null) {
    ended(OK);
    return response;
  }
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (!done) {
            controller.enqueue(value);
            return;
          }
          controller.close();
          ended(OK);
        } catch (error) {
          ended(ABORTED_IN);
          throw error;
        }
      },
      async cancel(reason) {
        ended(CANCELLED);
        await reader.cancel(reason);
      },
    },
    // reads when it is read, no earlier
    { highWaterMark: 0 },
  );
  return new Response(body, response);
}
