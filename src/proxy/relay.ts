// Passes one direction of a stdio conversation on: as it comes, then read; or, where a message may have to be changed, line by
// line. Whoever reads slowly slows down whoever writes, and nobody else.
import type { Readable, Writable } from 'node:stream';
import { Lines, type LineHandler } from './lines.ts';

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
  relay(source, sink, ends, (chunk) => {
    const free = sink.write(chunk);
    lines?.write(chunk);
    return free;
  });
  if (lines !== undefined) source.once('end', () => lines.end());
}

/** Passes bytes on line by line, as the editor says. */
export function relayEdited(source: Readable, sink: Writable, editor: Editor, ends: RelayEnds): void {
  let free = true;
  const pass = (bytes: Buffer): void => {
    free = sink.write(bytes);
  };
  const lines = new Lines({
    line(bytes) {
      const edited = editor.edit(bytes);
      // a line that was put together is valid during the call only, and the sink may keep it
      if (edited !== undefined) pass(edited === bytes ? Buffer.from(bytes) : edited);
    },
    longPiece(bytes, begins) {
      if (begins) editor.tooLong();
      pass(Buffer.from(bytes));
    },
  });
  relay(source, sink, ends, (chunk) => {
    free = true;
    // all lines of a chunk in one go
    sink.cork();
    lines.write(chunk);
    sink.uncork();
    return free;
  });
  source.prependOnceListener('end', () => lines.end());
}

function relay(
  source: Readable,
  sink: Writable,
  { onEnd, onBroken }: RelayEnds,
  take: (chunk: Buffer) => boolean,
): void {
  let isBroken = false;
  const broken = (): void => {
    if (isBroken) return;
    isBroken = true;
    source.removeListener('data', data);
    source.resume();
    onBroken();
  };
  const data = (chunk: Buffer): void => {
    if (take(chunk)) return;
    source.pause();
    sink.once('drain', () => source.resume());
  };
  source.on('data', data);
  source.once('end', onEnd);
  // a reader that is gone, or one that has closed its end
  sink.on('error', broken);
  source.on('error', () => source.destroy());
}
