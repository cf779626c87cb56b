// The demo: a real server on HTTP, agents that call it over the wire, and every trace as it ends.
import { SpanKind } from '@opentelemetry/api';
import { toNodeHandler } from '@modelcontextprotocol/node';
import {
  hostHeaderValidationResponse,
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  originValidationResponse,
} from '@modelcontextprotocol/server';
import { configureLogging } from '../index.ts';
import { startTelemetry, type Telemetry } from '../node/index.ts';
import type { Outcome } from '../protocol/outcome.ts';
import { startOnFreePort } from '../viewer/free-port.ts';
import type { Viewer } from '../viewer/viewer.ts';
import { startAgent } from './agents.ts';
import { startFlakyUpstream } from './flaky-upstream.ts';
import { startInvestigator } from './investigator.ts';
import { listen } from './listen.ts';
import { LiveTraces, type ReadableSpan } from './live-traces.ts';
import type { Screen } from './screen.ts';
import { demoHandler } from './server.ts';
import { RunningTotals } from './totals.ts';
import { startWeather } from './weather.ts';

/** Options of `runDemo`. */
export interface DemoOptions {
  readonly screen: Screen;
  /** Ends the demo. */
  readonly signal: AbortSignal;
  /** The port of the MCP server; 0 for any that is free. */
  readonly port: number;
}

// the reference values would make people wait for minutes to see anything
const QUICK = { initialDelayMs: 100, requestTimeoutMs: 1_000, resetAfterMs: 2_000 };

/** Runs the demo until the signal; then everything is stopped and the totals are shown. */
export async function runDemo({ screen, signal, port }: DemoOptions): Promise<void> {
  const level = process.env['TOOLSPAN_LOG_LEVEL'] === undefined ? 'info' : undefined;
  configureLogging({ level, write: screen.log });
  const totals = new RunningTotals();
  const exporting = exportsSomewhere();
  // what was opened is closed, last first, also where the port turns out to be taken
  const opened: (() => Promise<unknown>)[] = [];
  try {
    const page = exporting ? undefined : (await startOnFreePort({})).viewer;
    if (page !== undefined) {
      opened.push(() => page.close());
      sendTo(page);
    }
    const telemetry = await startDemoTelemetry((spans) => {
      totals.addTrace(spans.length);
      for (const span of spans) addRequest(totals, span);
      screen.trace(spans, totals.read());
    });
    opened.push(() => telemetry.shutdown());
    const weather = await startWeather();
    opened.push(weather.close);
    const upstream = await startFlakyUpstream();
    opened.push(upstream.close);
    const resilience = { ...QUICK, allowedOrigins: [upstream.url] };
    const handler = demoHandler({ weatherUrl: weather.url, resilience });
    opened.push(handler.close);
    const guarded = { fetch: async (request: Request) => refuseForeign(request) ?? handler.fetch(request) };
    const mcp = await listen(toNodeHandler(guarded) as Parameters<typeof listen>[0], port);
    opened.push(mcp.close);
    const url = `${mcp.url}/mcp`;
    screen.intro(intro(url, page));
    const agents = await Promise.all([true, false, true].map((modern) => startAgent(url, modern, upstream.url)));
    opened.push(() => Promise.all(agents.map((agent) => agent.stop())));
    const investigator = await startInvestigator(url, (findings) => screen.investigation(findings));
    opened.push(() => investigator.stop());
    await aborted(signal);
  } finally {
    for (const close of opened.toReversed()) await close();
  }
  screen.end(totals.read());
}

// Nobody has to run a collector to look at the demo; and who looks wants to see it now, not within a minute.
function sendTo({ endpoint }: Viewer): void {
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = endpoint;
  process.env['OTEL_BSP_SCHEDULE_DELAY'] ??= '400';
  process.env['OTEL_BLRP_SCHEDULE_DELAY'] ??= '400';
  process.env['OTEL_METRIC_EXPORT_INTERVAL'] ??= '2000';
}

function startDemoTelemetry(onTrace: (spans: readonly ReadableSpan[]) => void): Promise<Telemetry> {
  return startTelemetry({
    serviceName: 'toolspan-demo',
    spanProcessors: [new LiveTraces(onTrace)],
    handleSignals: false,
  });
}

function exportsSomewhere(): boolean {
  return Object.keys(process.env).some((name) => /^OTEL_(EXPORTER_|(TRACES|METRICS|LOGS)_EXPORTER$)/.test(name));
}

// Any page in a browser can reach a port on loopback; only what comes from this machine may.
function refuseForeign(request: Request): Response | undefined {
  return (
    hostHeaderValidationResponse(request, localhostAllowedHostnames()) ??
    originValidationResponse(request, localhostAllowedOrigins())
  );
}

function addRequest(totals: RunningTotals, { kind, attributes, duration }: ReadableSpan): void {
  const outcome = attributes['toolspan.outcome'] as Outcome | undefined;
  if (kind !== SpanKind.SERVER || outcome === undefined || attributes['jsonrpc.request.id'] === undefined) return;
  totals.addRequest(outcome, duration[0] * 1_000 + duration[1] / 1e6);
}

function intro(url: string, viewer: Viewer | undefined): string[] {
  const endpoint = process.env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  return [
    'An MCP server, simulated agents, and each of their calls as a trace. One agent asks the server why a call has failed.',
    '',
    `  MCP server   ${url}   (Streamable HTTP, revisions 2025-11-25 and 2026-07-28)`,
    `  Your client  claude mcp add --transport http toolspan-demo ${url}`,
    `               {"mcpServers": {"toolspan-demo": {"type": "http", "url": "${url}"}}}`,
    viewer === undefined
      ? `  Telemetry    also goes to ${endpoint ?? 'where the OTEL_* variables say'}`
      : `  Page         ${viewer.url}   (traces, tools, metrics; OTEL_EXPORTER_OTLP_ENDPOINT=${viewer.endpoint} shows yours too)`,
    '  Stop         Ctrl-C',
  ];
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
