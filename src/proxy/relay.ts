// Passes one direction of a stdio conversation on: as it comes, then read; or, where a message may have to be changed, line by
// line. Whoever reads slowly slows down whoever writes, and nobody else.
import type { Readable, Writable } from 'node:stream';
import { Lines, type LineHandler } from './lines.ts';

const DRAINED = ['drain', 'finish', 'close'];

/** Decides what is passed on instead of a line. */
export interface Editor {
  /** What goes on for this line; nothing where it stops here. */
  edit(line: Buffer): Buffer | undefined;
  /** A line that is too long to be looked at begins. */
  tooLong(): void;
}

/** How a stream was passed on. */
export interface RelayEnds {
  /** The source is over; everything has been handed to the sink. */
  readonly onEnd: () => void;
  /** The sink takes no more. */
  readonly onBroken: () => void;
}

/** Passes bytes on at once, then lets them be read. */
export function relayRead(source: Readable, sink: Writable, reader: LineHandler | undefined, ends: RelayEnds): void {
  const lines = reader === undefined ? undefined : new Lines(reader);
  const take = (chunk: Buffer): void => {
    sink.write(chunk);
    lines?.write(chunk);
  };
  relay(source, [sink], ends, take, () => lines?.end());
}

/**
 * Passes bytes on line by line, as the editor says.
 *
 * @param others what else is written to because of a line: no more is taken while one of them is full.
 */
export function relayEdited(
  source: Readable,
  sink: Writable,
  editor: Editor,
  ends: RelayEnds,
  others: readonly Writable[] = [],
): void {
  const lines = new Lines({
    line(bytes) {
      const edited = editor.edit(bytes);
      // a line that was put together is valid during the call only, and the sink may keep it
      if (edited !== undefined) sink.write(edited === bytes ? Buffer.from(bytes) : edited);
    },
    longPiece(bytes, begins) {
      if (begins) editor.tooLong();
      sink.write(Buffer.from(bytes));
    },
  });
  const take = (chunk: Buffer): void => {
    // all lines of a chunk in one go
    sink.cork();
    lines.write(chunk);
    sink.uncork();
  };
  relay(source, [sink, ...others], ends, take, () => lines.end());
}

/** @param rest takes what is left of a last line. */
function relay(
  source: Readable,
  sinks: readonly [Writable, ...Writable[]],
  { onEnd, onBroken }: RelayEnds,
  take: (chunk: Buffer) => void,
  rest: () => void,
): void {
  const [sink] = sinks;
  let isBroken = false;
  const broken = (): void => {
    if (isBroken) return;
    isBroken = true;
    source.removeListener('data', data);
    source.resume();
    onBroken();
  };
  const data = (chunk: Buffer): void => {
    take(chunk);
    // also what an earlier chunk has led to since
    if (!sinks.some(isFull)) return;
    source.pause();
    whenFree(sinks, () => source.resume());
  };
  source.on('data', data);
  source.once('end', () => {
    rest();
    onEnd();
  });
  // a source that is torn off has no end
  source.once('close', rest);
  // a reader that is gone, or one that has closed its end
  sink.on('error', broken);
  source.on('error', () => source.destroy());
}

function isFull({ writableNeedDrain }: Writable): boolean {
  return writableNeedDrain;
}

// A sink that has been ended is drained without a word.
function whenFree(sinks: readonly Writable[], then: () => void): void {
  const full = sinks.find(isFull);
  if (full === undefined) {
    then();
    return;
  }
  const again = (): void => {
    for (const event of DRAINED) full.removeListener(event, again);
    whenFree(sinks, then);
  };
  for (const event of DRAINED) full.once(event, again);
}
