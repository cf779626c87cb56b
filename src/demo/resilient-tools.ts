// The two reference tools of resilience: a call of somebody's URL that is retried, and an operation with a circuit breaker and
// a fallback.
import type { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { ErrorCode } from '../errors/error-code.ts';
import { ToolError } from '../errors/tool-error.ts';
import { httpFailure, policy, type NamedPolicy } from '../resilience/index.ts';
import { guardedGet, type Answer, type GuardOptions } from './guarded-get.ts';
import { text } from './text.ts';

/** Options of `registerResilientTools`. All have a default. */
export interface ResilientToolOptions extends Pick<GuardOptions, 'allowedOrigins' | 'maxBytes' | 'resolve'> {
  /** The delay before the first retry, in ms. @default 1_000 */
  readonly initialDelayMs?: number | undefined;
  /** How long one request may take, in ms. @default 30_000 */
  readonly requestTimeoutMs?: number | undefined;
  /** How long the circuit breaker stays open, in ms. @default 60_000 */
  readonly resetAfterMs?: number | undefined;
}

const FAIL = 'fail_primary';
const CODES: Readonly<Record<number, ErrorCode>> = {
  401: 'AUTHENTICATION_FAILED',
  403: 'PERMISSION_DENIED',
  404: 'RESOURCE_NOT_FOUND',
  410: 'RESOURCE_NOT_FOUND',
};

/** Registers `resilient_external_call` and `resilient_operation_with_fallback`. */
export function registerResilientTools(server: McpServer, options: ResilientToolOptions = {}): void {
  const external = externalCalls(options);
  const operation = operations(options);

  server.registerTool(
    'resilient_external_call',
    {
      title: 'Call a service',
      description: 'Gets a public http or https URL, and tries again where that may help.',
      inputSchema: z.object({
        url: z.string().describe('The URL; addresses of this machine or its network are refused'),
      }),
      annotations: { readOnlyHint: true, openWorldHint: true },
    },
    async ({ url }, ctx) => {
      const answer = await external.run(({ signal }) => guardedGet(url, { ...options, signal }), {
        signal: ctx.mcpReq.signal,
      });
      if (answer.status >= 400) throw errorOf(answer);
      return text(answer.body);
    },
  );

  server.registerTool(
    'resilient_operation_with_fallback',
    {
      title: 'Operation with a fallback',
      description: `Processes its input. An input with "${FAIL}" makes the primary fail; the fallback answers then.`,
      inputSchema: z.object({ input_data: z.string() }),
      annotations: { readOnlyHint: true },
    },
    async ({ input_data: input }, ctx) =>
      text(await operation.run(() => primary(input), { input, signal: ctx.mcpReq.signal })),
  );
}

// No breaker here: the URLs lead to any service, and one that is down must not stand for all.
function externalCalls({ initialDelayMs = 1_000, requestTimeoutMs = 30_000 }: ResilientToolOptions): NamedPolicy {
  return policy('external-call', {
    timeoutMs: 5 * requestTimeoutMs,
    attemptTimeoutMs: requestTimeoutMs,
    retry: { attempts: 4, initialDelayMs, maxDelayMs: 60_000, multiplier: 2 },
    bulkhead: { concurrency: 10, queue: 20 },
    failOn: httpFailure,
  });
}

function operations({ resetAfterMs = 60_000 }: ResilientToolOptions): NamedPolicy<string> {
  return policy<string>('operation', {
    breaker: { failures: 5, resetAfterMs },
    fallback: (_error, input) => `Fallback result: ${String(input).replaceAll(FAIL, 'recovered')}`,
  });
}

function primary(input: string): string {
  if (input.includes(FAIL)) throw new ToolError('UNAVAILABLE', 'The primary has failed');
  return `Primary result: ${input}`;
}

function errorOf(answer: Answer): ToolError {
  const { status } = answer;
  const failure = httpFailure(answer);
  const message = `The service answered ${status}`;
  if (failure === false) return new ToolError(CODES[status] ?? 'VALIDATION_ERROR', message, { details: { status } });
  const { code, retryable, retryAfterMs } = failure;
  return new ToolError(code, message, { retryable, retryAfterMs, details: { status } });
}
