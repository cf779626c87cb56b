// What is open is bounded: a conversation in which nothing is answered does not fill the memory.
import { describe, expect } from 'vitest';
import { startCollector } from '../harness/collector.ts';
import { verifies } from '../harness/verifies.ts';
import { Wrapped } from '../harness/wrapped.ts';

const MORE = 7_000;

describe('requests that are never answered', () => {
  verifies('wrap.many', async () => {
    const collector = await startCollector();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
    // each comes back as it is, which makes it one of the server: two operations a line
    const wrapped = new Wrapped(['--', 'cat'], { env });
    const sent = Array.from({ length: MORE }, (_, id) => `{"jsonrpc":"2.0","id":${id},"method":"ping"}\n`).join('');
    await wrapped.write(sent);
    await wrapped.bytes(sent.length);
    await wrapped.close();
    await collector.close();
    expect(wrapped.stdout.toString('utf8')).toBe(sent);
    expect(wrapped.stderr).toContain('10,000 operations that nobody has answered');
    const counted = /"name":"toolspan.proxy.unobserved".*?"as(?:Int|Double)":"?(\d+)/.exec(
      JSON.stringify(collector.bodies('metrics').at(-1)),
    );
    expect(Number(counted?.[1])).toBe(2 * MORE - 10_000);
  });
});
