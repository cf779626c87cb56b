// The demo's server as a process of its own, and a client of it, for tests that look at what reaches the back ends.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Child } from '../harness/child.ts';
import { eventually } from '../harness/poll.ts';
import { PROMPT } from './load-process.ts';
import { ROOT } from './root.ts';

export class DemoServer {
  readonly child: Child;
  readonly client: Client;

  private constructor(child: Child, client: Client) {
    this.child = child;
    this.client = client;
  }

  /** Starts the demo and connects a client that is not instrumented. */
  static async start(endpoint: string): Promise<DemoServer> {
    const child = new Child(process.execPath, [`${ROOT}src/cli/main.ts`, 'demo', 'serve'], {
      env: { ...PROMPT, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint },
    });
    const url = await eventually('the address of the demo', () => /http:\S+\/mcp/.exec(child.stdout)?.[0]);
    const client = new Client({ name: 'test client', version: '1' });
    await client.connect(new StreamableHTTPClientTransport(new URL(url)));
    return new DemoServer(child, client);
  }

  /** Ends it as a container would; everything is flushed. */
  async stop(): Promise<void> {
    await this.client.close();
    await this.child.kill('SIGTERM');
  }
}
