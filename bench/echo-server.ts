// The least that a server on stdio can be: it answers every request at once. What is measured is what stands before it.
import { once } from 'node:events';

let rest = '';
process.stdin.on('data', (chunk: Buffer) => {
  const lines = (rest + chunk.toString('utf8')).split('\n');
  rest = lines.pop() ?? '';
  const answers = lines.map((line) => {
    const { id } = JSON.parse(line) as { id?: number };
    return id === undefined
      ? ''
      : `{"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"text","text":"hello"}]}}\n`;
  });
  process.stdout.write(answers.join(''));
});
await once(process.stdin, 'end');
