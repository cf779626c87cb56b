// No call gets past its policy by the way it is written: in a batch, beside what is no message, or with an id of many digits.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { verifies } from '../harness/verifies.ts';
import { Wrapped } from '../harness/wrapped.ts';

const call = (id: string) => `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"x"}}`;
const PING = '{"jsonrpc":"2.0","id":"p","method":"ping"}';

describe('a policy that lets one call through', () => {
  verifies('wrap.policies', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'toolspan-guard-')), 'policies.json');
    writeFileSync(file, JSON.stringify({ tools: { '*': { rateLimit: { permits: 1, perMs: 600_000 } } } }));
    // what reaches the server comes back as it is, and refusals beside it
    const wrapped = new Wrapped(['--policy', file, '--', 'cat']);
    await wrapped.write(
      `${call('1')}\n[${call('2')}, ${PING} ,${call('3')}]\n[42,${call('4')}]\n[${call('5')}]\n${call('9007199254740993')}\n${call('1.5')}\n`,
    );
    await wrapped.says('"id":1.5');
    await wrapped.close();
    const lines = wrapped.stdout.toString('utf8').trimEnd().split('\n');
    const refused = lines.filter((line) => line.includes('RATE_LIMIT'));
    const ids = refused.map((line) => /^\{"jsonrpc":"2.0","id":([\d.]+),/.exec(line)?.[1]);
    expect(ids).toEqual(['2', '3', '4', '5', '9007199254740993', '1.5']);
    expect(lines.filter((line) => !refused.includes(line))).toEqual([call('1'), `[${PING}]`, '[42]']);
  });

  verifies(
    'wrap.policies',
    async () => {
      const file = join(mkdtempSync(join(tmpdir(), 'toolspan-guard-')), 'policies.json');
      writeFileSync(file, JSON.stringify({ tools: { '*': { timeoutMs: 300 } } }));
      const wrapped = new Wrapped(['--policy', file, '--', 'cat']);
      await wrapped.write(`${call('9007199254740993')}\n`);
      await wrapped.says('TIMEOUT');
      await wrapped.says('notifications/cancelled');
      await wrapped.close();
      expect(wrapped.stdout.toString('utf8')).toContain('"params":{"requestId":9007199254740993,');
    },
    'and one that ends a call with such an id',
  );
});
