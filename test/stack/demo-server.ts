// The demo's server and its agents as processes of their own, and a client, for tests that look at what reaches the back ends.
import { randomBytes } from 'node:crypto';
import { Client, StreamableHTTPClientTransport, type CallToolResult } from '@modelcontextprotocol/client';
import { Child } from '../harness/child.ts';
import { eventually } from '../harness/poll.ts';
import { ROOT } from './root.ts';

/** Settings under which everything is exported at once. */
export const PROMPT: Readonly<Record<string, string>> = {
  OTEL_METRIC_EXPORT_INTERVAL: '1000',
  OTEL_BSP_SCHEDULE_DELAY: '200',
  OTEL_BLRP_SCHEDULE_DELAY: '200',
};

/** The span that calls with a trace of their own name as their parent. */
export const PARENT = '00f067aa0ba902b7';

const MAIN = `${ROOT}src/cli/main.ts`;

/** What a test wants otherwise than the demo is. */
export interface DemoSettings {
  /** What the service is called. @default 'toolspan-demo' */
  readonly service?: string;
  /** Whether health leaves the machine out of account. */
  readonly calm?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

/** One call of a tool. */
export interface ToolCall {
  readonly tool: string;
  readonly args?: Readonly<Record<string, unknown>>;
}

export class DemoServer {
  readonly #child: Child;
  readonly client: Client;
  readonly url: string;
  /** Base URL of the service that fails in every way. */
  readonly serviceUrl: string;

  private constructor(child: Child, client: Client, url: string, serviceUrl: string) {
    this.#child = child;
    this.client = client;
    this.url = url;
    this.serviceUrl = serviceUrl;
  }

  /** Starts the demo and connects a client that is not instrumented. */
  static async start(endpoint: string, { service, calm = false, env = {} }: DemoSettings = {}): Promise<DemoServer> {
    const preload = calm ? [`--import=${ROOT}test/stack/calm-health.ts`] : [];
    const child = new Child(process.execPath, [...preload, MAIN, 'demo', 'serve'], {
      env: {
        ...PROMPT,
        OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
        ...(service !== undefined && { OTEL_SERVICE_NAME: service }),
        ...env,
      },
    });
    const [, url = '', serviceUrl = ''] = await eventually(
      'the addresses of the demo',
      () => /(http:\S+\/mcp)\s+Service: +(http:\S+)/.exec(child.stdout) ?? undefined,
    );
    const client = new Client({ name: 'test client', version: '1' });
    await client.connect(new StreamableHTTPClientTransport(new URL(url)));
    return new DemoServer(child, client, url, serviceUrl);
  }

  /** Calls a tool; the answer may be that it has failed. */
  call({ tool, args = {} }: ToolCall, meta: Readonly<Record<string, unknown>> = {}): Promise<CallToolResult> {
    return this.client.callTool({ name: tool, arguments: args, _meta: meta });
  }

  /** Calls a tool in a trace of its own, under the span `PARENT`. */
  async traced(call: ToolCall): Promise<{ readonly traceId: string; readonly result: CallToolResult }> {
    const traceId = randomBytes(16).toString('hex');
    return { traceId, result: await this.call(call, { traceparent: `00-${traceId}-${PARENT}-01` }) };
  }

  /** Starts the agents of the demo, as many as there are by default. */
  startAgents(endpoint: string): Child {
    return new Child(process.execPath, [MAIN, 'demo', 'call', this.url, `--service=${this.serviceUrl}`], {
      env: { ...PROMPT, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint },
    });
  }

  /** Ends it as a container would; everything is flushed. */
  async stop(): Promise<void> {
    await this.client.close();
    await this.#child.kill('SIGTERM');
  }
}
