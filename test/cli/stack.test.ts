// `toolspan stack`, as a user runs it. That the stack comes up is shown in test/compose.
import { dirname } from 'node:path';
import { describe, expect } from 'vitest';
import { Child } from '../harness/child.ts';
import { verifies } from '../harness/verifies.ts';

const MAIN = new URL('../../src/cli/main.ts', import.meta.url).pathname;
const toolspan = (args: readonly string[], env: Record<string, string> = {}) =>
  new Child(process.execPath, [MAIN, ...args], { env });

describe('toolspan stack', () => {
  verifies('stack.command', async () => {
    const { stdout, code } = await toolspan(['stack', 'urls'], { GRAFANA_PORT: '3999' }).ended();
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Grafana +http:\/\/localhost:3999 /m);
    expect(stdout).toMatch(/^Jaeger +http:\/\/localhost:16686 /m);
    expect(stdout).not.toContain('Loki');
    expect((await toolspan(['stack', 'urls'], { COMPOSE_PROFILES: 'logs' }).ended()).stdout).toMatch(/^Loki +http/m);
  });

  verifies(
    'stack.command',
    async () => {
      // a machine without Docker
      const { stdout, stderr, code } = await toolspan(['stack', 'up'], { PATH: dirname(process.execPath) }).ended();
      expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
      expect(stderr).toMatch(
        /^toolspan: the stack needs Docker, and "docker" cannot be run \(ENOENT\)\..*toolspan view/,
      );
    },
    'without Docker',
  );

  verifies(
    'cli.bad-usage',
    async () => {
      const wrong: [string[], RegExp][] = [
        [['stack'], /^toolspan: stack needs one of: up, status, urls, down; got ""\n/],
        [['stack', 'start'], /^toolspan: stack needs one of: up, status, urls, down; got "start"\n/],
        [['stack', 'status', 'jaeger'], /got "status jaeger"\n/],
        [['stack', 'down', '--logs'], /^toolspan: stack down has no option --logs\n/],
        [['stack', 'up', '--nonsense'], /^toolspan: Unknown option '--nonsense'/],
      ];
      for (const [args, message] of wrong) {
        const ended = await toolspan(args).ended();
        expect(ended, args.join(' ')).toMatchObject({ code: 2, stdout: '' });
        expect(ended.stderr).toMatch(message);
      }
      const help = await toolspan(['stack', '--help']).ended();
      expect(help).toMatchObject({ code: 0, stderr: '' });
      expect(help.stdout).toMatch(/^Usage: toolspan stack /);
    },
    'of the stack',
  );
});
