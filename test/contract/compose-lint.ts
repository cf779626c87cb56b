// A linter for compose files, less its rules of taste.
import { spawnSync } from 'node:child_process';

// order of keys; and two that cannot hold here: images are named by variables, and what is built has a name
const NOT_OURS = [
  'service-keys-order',
  'top-level-properties-order',
  'service-image-require-explicit-tag',
  'no-build-and-image',
];

/** What the linter finds in a compose file. */
export function lint(file: string): string[] {
  const linter = new URL('../../node_modules/.bin/dclint', import.meta.url).pathname;
  const args = [file, '--formatter=json', '--disable-rule', ...NOT_OURS];
  const { stdout, stderr, error } = spawnSync(linter, args, { encoding: 'utf8' });
  if (!stdout.startsWith('[')) throw new Error(`the linter did not run: ${stdout}${stderr}`, { cause: error });
  const found = JSON.parse(stdout) as { messages: { rule: string; line: number; message: string }[] }[];
  return found.flatMap(({ messages }) =>
    messages.map(({ rule, line, message }) => `${rule}, line ${line}: ${message}`),
  );
}
