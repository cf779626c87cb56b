// Our own complaints: one line to stderr, once each. stdout belongs to the protocol and is never written to.

const MAX_REMEMBERED = 200;
const said = new Set<string>();
let writing = 0;
const ignore = (): void => {};

/**
 * Says something to the operator, on stderr, the first time only.
 *
 * @param key what the complaint is about; a second complaint with the same key is dropped.
 * @param message one sentence: what was expected, what came, what to do.
 */
export function complainOnce(key: string, message: string): void {
  if (said.has(key) || said.size >= MAX_REMEMBERED) return;
  said.add(key);
  writeStderr(`toolspan: ${message.replaceAll(/\s*[\r\n]+\s*/g, ' ')}`);
}

/** Writes a line to stderr. Where that is closed there is nobody left to tell, and the host must not end over it. */
export function writeStderr(line: string): void {
  try {
    const { stderr } = process;
    // without a listener the error of a closed pipe would end the process
    if (writing++ === 0) stderr.on('error', ignore);
    stderr.write(`${line}\n`, () =>
      setImmediate(() => {
        if (--writing === 0) stderr.removeListener('error', ignore);
      }).unref(),
    );
  } catch {
    // a host may have put anything in the place of stderr
  }
}

/**
 * Complains about a failure inside toolspan itself, which the host must never feel.
 *
 * @param where the part that failed.
 */
export function complainAboutFailure(where: string, error: unknown): void {
  complainOnce(`failure:${where}`, `${where} failed and is skipped: ${describe(error)}. Your calls are not affected.`);
}

/** What was thrown, as an error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

function describe(error: unknown): string {
  try {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  } catch {
    return 'a value that cannot be printed';
  }
}
