#!/usr/bin/env node
// The `toolspan` command.
import { parseArgs } from 'node:util';
import { demo } from './demo-command.ts';
import { UsageError } from './usage-error.ts';
import { VERSION } from '../version.ts';
import { view } from './view-command.ts';

const USAGE = `Usage: toolspan <command> [options]

Commands:
  demo     run a demo server with simulated agents and watch every call as a trace
  view     receive OpenTelemetry from your own server and look at it in a page

Options:
  --help     show this text, or that of a command
  --version  show the version
`;

const commands: Readonly<Record<string, (args: string[]) => Promise<void>>> = { demo, view };

async function main([name, ...rest]: string[]): Promise<void> {
  const command = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command !== undefined) return command(rest);
  if (name !== undefined && !name.startsWith('-')) {
    throw new UsageError(`unknown command "${name}"; expected one of: ${Object.keys(commands).join(', ')}`);
  }
  const { values } = parseArgs({
    args: name === undefined ? [] : [name],
    options: { help: { type: 'boolean' }, version: { type: 'boolean' } },
  });
  process.stdout.write(values.version === true ? `${VERSION}\n` : USAGE);
}

// whoever reads has had enough, as in `toolspan demo | head`
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError) && !isParseError(error)) throw error;
  process.stderr.write(`toolspan: ${error.message}\nTry "toolspan --help".\n`);
  process.exitCode = 2;
}

function isParseError(error: unknown): error is Error {
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_');
}
