#!/usr/bin/env node
// The `toolspan` command.
import { parseArgs } from 'node:util';
import { cacheCompiledCode } from '../compile-cache.ts';
import { isTooOld, nodeNeeded } from '../node-version.ts';
import { VERSION } from '../version.ts';
import { UsageError } from './usage-error.ts';

const USAGE = `Usage: toolspan <command> [options]

Commands:
  demo     run a demo server with simulated agents and watch every call as a trace
  wrap     observe an MCP server in any language, on stdio or HTTP, from outside
  check    say what stands in the way of telemetry, and how to mend it
  stack    start and stop collector, Jaeger, Prometheus and Grafana in containers
  view     receive OpenTelemetry from your own server and look at it in a page

Options:
  --help     show this text, or that of a command
  --version  show the version
`;

type Command = (args: string[]) => Promise<void>;

// each is loaded when it is asked for
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  demo: async () => (await import('./demo-command.ts')).demo,
  wrap: async () => (await import('./wrap-command.ts')).wrap,
  check: async () => (await import('./check-command.ts')).check,
  stack: async () => (await import('./stack-command.ts')).stack,
  view: async () => (await import('./view-command.ts')).view,
};

async function main([name, ...rest]: string[]): Promise<void> {
  const command = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command !== undefined) {
    if (isTooOld()) {
      process.stderr.write(`toolspan: ${nodeNeeded()}.\n`);
      process.exitCode = 1;
      return;
    }
    cacheCompiledCode();
    // the stdout of a wrapped server is not ours
    if (name !== 'wrap') endWithReader();
    const run = await command();
    await run(rest);
    return;
  }
  endWithReader();
  if (name !== undefined && name !== 'help' && !name.startsWith('-')) {
    throw new UsageError(`unknown command "${name}"; expected one of: ${Object.keys(commands).join(', ')}`);
  }
  const { values } = parseArgs({
    args: name === undefined || name === 'help' ? [] : [name],
    options: { help: { type: 'boolean' }, version: { type: 'boolean' } },
  });
  process.stdout.write(values.version === true ? `${VERSION}\n` : USAGE);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Error) || !isMistake(error)) throw error;
  const [name = '', ...rest] = process.argv.slice(2);
  const command = Object.hasOwn(commands, name) ? ` ${name}` : '';
  process.stderr.write(`toolspan: ${said(error, name, rest)}\nTry "toolspan${command} --help".\n`);
  process.exitCode = 2;
}

// The system has no such address, or none that can be listened on.
function isAddressError(error: Error): boolean {
  return 'syscall' in error && ['listen', 'getaddrinfo'].includes(String(error.syscall));
}

// A command of the user's own is what most often stands where no argument may.
function said(error: Error, name: string, args: readonly string[]): string {
  if (isAddressError(error)) return `cannot listen there: ${error.message}`;
  const isMisplaced = 'code' in error && error.code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL';
  const takesCommand = name === 'wrap' || name === 'check';
  if (!isMisplaced || !takesCommand || args.includes('--')) return error.message;
  return `${error.message.split('. ')[0]}. Put -- before the command of the server: toolspan ${name} -- <command>`;
}

function isMistake(error: Error): boolean {
  return error instanceof UsageError || isParseError(error) || isAddressError(error);
}

function isParseError(error: Error): boolean {
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_');
}

// Whoever reads has had enough, as in `toolspan demo | head`.
function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
}
