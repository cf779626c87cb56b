// The agent's tools: what each is called, when a model should pick it, and who answers.
import type { Caller } from './access.ts';
import type { ObservabilityTool } from './answers.ts';
import { errorsAnswer } from './errors-answer.ts';
import { healthAnswer } from './health-answer.ts';
import { metricsAnswer } from './metrics-answer.ts';
import { SCHEMAS, type ToolSchemas } from './schemas.ts';
import { traceAnswer } from './trace-answer.ts';

/** Where people look at a trace; null where that is not known. */
export type Link = (traceId: string) => string | null;

/** What a tool answers. */
export interface Answer {
  readonly output: object;
  readonly text: string;
}

/** One tool. */
export interface Tool {
  readonly title: string;
  readonly description: string;
  readonly schemas: ToolSchemas;
  readonly answer: (
    server: object,
    args: Record<string, unknown>,
    caller: Caller,
    link: Link,
  ) => Answer | Promise<Answer>;
}

/** The tools, with descriptions that let a model pick the right one. */
export const TOOLS: Readonly<Record<ObservabilityTool, Tool>> = {
  get_server_health: {
    title: 'Server health',
    description:
      'Whether this server is healthy, degraded or unhealthy right now, and why: error rate, CPU, memory, disk, failing tools, ' +
      'open circuit breakers, dependency checks. Call it first when calls fail or are slow, before retrying.',
    schemas: SCHEMAS.get_server_health,
    answer: (server) => healthAnswer(server),
  },
  get_server_metrics: {
    title: 'Server metrics',
    description:
      'Counts, error codes and latency percentiles (p50, p95, p99) of the tools of this server over 1, 5 or 15 minutes, and its ' +
      'counters, gauges and histograms. Call it to compare tools or to see how slow one is; for a verdict use get_server_health.',
    schemas: SCHEMAS.get_server_metrics,
    answer: (server, args) => metricsAnswer(server, args),
  },
  get_recent_errors: {
    title: 'Recent errors',
    description:
      'The latest failed calls of this server: time, tool, error code, message, advice and trace id. Call it to see whether a ' +
      'failure is yours alone or happens to others, then look at one with get_trace.',
    schemas: SCHEMAS.get_recent_errors,
    answer: (server, args, caller, link) => errorsAnswer(server, args, caller, link),
  },
  get_trace: {
    title: 'Trace of a call',
    description:
      'What happened inside one recent call, by its trace id: each step with its duration, retries, circuit breaker events and ' +
      'the error. Call it to find out why a call failed or was slow; the answer to a failed call names its trace id.',
    schemas: SCHEMAS.get_trace,
    answer: (_server, args, caller, link) => traceAnswer(String(args['trace_id']), caller, link),
  },
};
