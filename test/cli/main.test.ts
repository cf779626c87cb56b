// `toolspan` before any of its commands: the Node that it runs on, and what it says to a wrong call.
import { describe, expect } from 'vitest';
import { isSupported, isTooOld } from '../../src/node-version.ts';
import { Child, type Ended } from '../harness/child.ts';
import { verifies } from '../harness/verifies.ts';

const MAIN = new URL('../../src/cli/main.ts', import.meta.url).pathname;

const toolspan = (args: readonly string[], nodeArgs: readonly string[] = []): Promise<Ended> =>
  new Child(process.execPath, [...nodeArgs, MAIN, ...args]).ended();

describe('a wrong call', () => {
  verifies(
    'cli.bad-usage',
    async () => {
      for (const [args, said] of [
        [
          ['wrap', 'python', 'server.py'],
          "'python'. Put -- before the command of the server: toolspan wrap -- <command>",
        ],
        [['check', 'node'], "'node'. Put -- before the command of the server: toolspan check -- <command>"],
        [['view', 'x'], "Unexpected argument 'x'"],
        // for documentation only: https://datatracker.ietf.org/doc/html/rfc5737#section-3
        [['view', '--port', '45999', '--host', '203.0.113.7'], 'cannot listen there: listen EADDRNOTAVAIL'],
        [['demo', 'serve', '--port', '45999', '--host', 'nohost.invalid'], 'cannot listen there: getaddrinfo'],
      ] as const) {
        const ended = await toolspan(args);
        expect(ended).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(said) as string });
        expect(ended.stderr).toMatch(new RegExp(`Try "toolspan ${args[0]} --help"\\.\n$`));
      }
      expect(await toolspan(['help'])).toEqual(await toolspan(['--help']));
    },
    'and names the command that has the help',
  );
});

describe('an older Node', () => {
  const pretend = (version: string): string =>
    `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'${version}'}})`;

  verifies('cli.node', async () => {
    for (const args of [['demo'], ['wrap', '--', 'cat'], ['check'], ['stack', 'up'], ['view', '--help']]) {
      expect(await toolspan(args, ['--import', pretend('20.20.2')]), args.join(' ')).toMatchObject({
        code: 1,
        stdout: '',
        stderr: 'toolspan: needs Node 22.15 or later, and this is Node 20.20.2.\n',
      });
    }
  });

  verifies(
    'cli.node',
    () => {
      const versions = ['18.20.0', '22.14.9', '22.15.0', '23.11.0', '24.0.0', '26.1.0'];
      expect(versions.filter((version) => isTooOld(version))).toEqual(['18.20.0', '22.14.9']);
      expect(versions.filter((version) => isSupported(version))).toEqual(['22.15.0', '24.0.0', '26.1.0']);
    },
    'by its number',
  );
});
