// How the wrapped command is started: without a shell wherever there is another way. Pure.

/** What is handed to the system. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  /** Windows: the arguments are quoted already. */
  readonly verbatim: boolean;
}

const SCRIPT = /\.(cmd|bat)$/i;
// npm installs these as .cmd files, which Windows starts through cmd.exe only (CVE-2024-27980).
const LAUNCHERS = new Set(['npx', 'npm', 'pnpm', 'pnpx', 'yarn', 'corepack']);

/** The command as this platform starts it. */
export function launchOf(command: string, args: readonly string[], platform: NodeJS.Platform): Launch {
  const script = platform === 'win32' && (SCRIPT.test(command) || LAUNCHERS.has(command.toLowerCase()));
  if (!script) return { command, args, verbatim: false };
  const line = [command, ...args].map(quoted).join(' ');
  return { command: 'cmd.exe', args: ['/d', '/s', '/c', `"${line}"`], verbatim: true };
}

// First for the program that splits the line into arguments, then for cmd.exe, which sees a caret before each of its signs.
function quoted(argument: string): string {
  const forProgram = `"${argument.replaceAll(/(\\*)"/g, '$1$1\\"').replace(/(\\*)$/, '$1$1')}"`;
  return forProgram.replaceAll(/[()%!^"<>&|;, ]/g, '^$&');
}
