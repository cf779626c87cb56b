// The stderr of this process as a place for log lines.
import { ROOT_CONTEXT } from '@opentelemetry/api';
import { jsonLine } from './json-line.ts';
import { LineWriter } from './line-writer.ts';

const STDERR = 2;

let writer: LineWriter | undefined;

/** Takes a line for stderr; never blocks on a slow pipe, and never throws. */
export function writeToStderr(line: string): void {
  writer ??= makeWriter();
  writer.push(line);
}

/** How many lines were dropped since stderr was not read fast enough. */
export function droppedLines(): number {
  return writer?.dropped ?? 0;
}

function makeWriter(): LineWriter {
  const made = new LineWriter(writeWhatFits, (dropped) =>
    jsonLine(
      {
        time: Date.now(),
        eventType: 'logs_dropped',
        ofOurs: true,
        level: 'warn',
        message: `${dropped} log lines were dropped: stderr is not read fast enough`,
        call: undefined,
        attributes: { dropped },
        exception: undefined,
        context: ROOT_CONTEXT,
        span: undefined,
      },
      undefined,
    ),
  );
  process.on('exit', () => made.flush());
  return made;
}

// Node makes a pipe non-blocking when its stream is first asked for; past the stream, what does not fit is ours to drop.
function writeWhatFits(bytes: Buffer): number {
  if (process.stderr.writableLength > 0)
    throw Object.assign(new Error('others wait to be written'), { code: 'EAGAIN' });
  // loaded where it is used: importing it would take longer than all of this room
  return process.getBuiltinModule('node:fs').writeSync(STDERR, bytes);
}
