// A simulated agent that does not give up when a tool fails: it asks the server how it is, what failed lately, and what
// happened inside its own call.
import { Client, StreamableHTTPClientTransport, type CallToolResult } from '@modelcontextprotocol/client';
import { instrumentClient } from '../index.ts';
import { VERSION } from '../version.ts';
import { rest, type Agent } from './agents.ts';

/** One thing that the agent did, and what it learned. */
export interface Finding {
  readonly asked: string;
  readonly learned: readonly string[];
}

const EVERY_MS = 4_000;
const MAX_LINES = 12;

/** Starts the agent; it tells each round of findings. */
export async function startInvestigator(url: string, tell: (findings: readonly Finding[]) => void): Promise<Agent> {
  const client = new Client(
    { name: 'investigating-agent', version: VERSION },
    { versionNegotiation: { mode: { pin: '2026-07-28' } } },
  );
  instrumentClient(client);
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  await client.listTools();
  const stopping = new AbortController();
  const done = investigate(client, stopping.signal, tell);
  return {
    async stop() {
      stopping.abort();
      await done;
      await client.close();
    },
  };
}

async function investigate(
  client: Client,
  signal: AbortSignal,
  tell: (findings: readonly Finding[]) => void,
): Promise<void> {
  // long enough for the others to have done something
  await rest(EVERY_MS / 4, signal);
  while (!signal.aborted) {
    try {
      tell(await oneRound(client, signal));
    } catch {
      // the demo is over, or the server is: there is nothing to tell
    }
    await rest(EVERY_MS, signal);
  }
}

async function oneRound(client: Client, signal: AbortSignal): Promise<Finding[]> {
  const findings: Finding[] = [];
  const ask = async (name: string, args: Record<string, unknown>) => {
    const result = await client.callTool({ name, arguments: args }, { signal });
    findings.push({ asked: `${name} ${JSON.stringify(args)}`, learned: linesOf(result) });
    return result;
  };
  const failed = await ask('metric_tracked_operation', { input_data: 'please fail' });
  // what the answer to a failed call says of it
  const { trace_id: traceId } = (failed._meta?.['toolspan/error'] ?? {}) as { readonly trace_id?: string };
  await ask('get_server_health', {});
  await ask('get_recent_errors', { trace_id: traceId });
  await ask('get_trace', { trace_id: traceId });
  return findings;
}

function linesOf({ content }: CallToolResult): string[] {
  const text = content.map((part) => (part.type === 'text' ? part.text : '')).join('\n');
  const lines = text.split('\n');
  return lines.length > MAX_LINES ? [...lines.slice(0, MAX_LINES), '…'] : lines;
}
