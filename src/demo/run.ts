// The demo: a real server on HTTP, agents that call it over the wire, and every trace as it ends.
import { SpanKind } from '@opentelemetry/api';
import { configureLogging } from '../index.ts';
import { startTelemetry, type Telemetry } from '../node/index.ts';
import type { Outcome } from '../protocol/outcome.ts';
import { startOnFreePort } from '../viewer/free-port.ts';
import type { Viewer } from '../viewer/viewer.ts';
import { aborted } from './aborted.ts';
import { startAgent } from './agents.ts';
import { startInvestigator } from './investigator.ts';
import { LiveTraces, type ReadableSpan } from './live-traces.ts';
import { logLevel } from './log-level.ts';
import { milliseconds, type Screen } from './screen.ts';
import { startDemoServer } from './start-server.ts';
import { RunningTotals } from './totals.ts';

/** Options of `runDemo`. */
export interface DemoOptions {
  readonly screen: Screen;
  /** Ends the demo. */
  readonly signal: AbortSignal;
  /** The port of the MCP server; 0 for any that is free. */
  readonly port: number;
}

/** Runs the demo until the signal; then everything is stopped and the totals are shown. */
export async function runDemo({ screen, signal, port }: DemoOptions): Promise<void> {
  configureLogging({ level: logLevel(), write: screen.log });
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
    const { url, serviceUrl, close } = await startDemoServer({ port });
    opened.push(close);
    screen.intro(intro(url, page));
    const agents = await Promise.all([true, false, true].map((modern) => startAgent(url, modern, serviceUrl)));
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

function addRequest(totals: RunningTotals, { kind, attributes, duration }: ReadableSpan): void {
  const outcome = attributes['toolspan.outcome'] as Outcome | undefined;
  if (kind !== SpanKind.SERVER || outcome === undefined || attributes['jsonrpc.request.id'] === undefined) return;
  totals.addRequest(outcome, milliseconds(duration));
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
