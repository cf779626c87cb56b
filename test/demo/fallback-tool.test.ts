// The reference tool with a fallback, with its reference values.
import { McpServer } from '@modelcontextprotocol/server';
import { describe, expect } from 'vitest';
import { registerResilientTools } from '../../src/demo/resilient-tools.ts';
import { announcedPolicies } from '../../src/resilience/index.ts';
import { script } from '../harness/scripted.ts';
import { verifies } from '../harness/verifies.ts';

describe('an operation with a fallback', () => {
  verifies('demo.fallback', async () => {
    const server = new McpServer({ name: 'demo', version: '1' });
    registerResilientTools(server);
    const { transport, call } = await script(server);
    let id = 0;
    const operate = async (input: string) => {
      call(++id, 'resilient_operation_with_fallback', { input_data: input });
      const { result } = await transport.answer(id);
      return (result as { content: { text: string }[] }).content[0]?.text;
    };
    expect(await operate('data')).toBe('Primary result: data');
    for (let failures = 0; failures < 5; failures++) {
      expect(await operate('a fail_primary b')).toBe('Fallback result: a recovered b');
    }
    // open: what would have worked has to wait
    expect(await operate('data')).toBe('Fallback result: data');
    const described = (name: string) =>
      announcedPolicies()
        .find((policy) => policy.name === name)
        ?.describe();
    expect(described('operation')?.find(({ policy }) => policy === 'circuit_breaker')).toMatchObject({
      failures: 5,
      resetAfterMs: 60_000,
    });
    expect(described('external-call')?.find(({ policy }) => policy === 'retry')).toMatchObject({
      attempts: 4,
      initialDelayMs: 1_000,
      maxDelayMs: 60_000,
      multiplier: 2,
      jitter: 'full',
    });
    expect(described('external-call')?.at(-1)).toEqual({ policy: 'timeout', scope: 'attempt', limitMs: 30_000 });
  });
});
