// The body of one HTTP request: it passes as it comes and is read beside that, or is held until somebody has decided about it.
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Pieces } from './lines.ts';

/** Makes sure that what fails in this work ends its exchange, and nothing else. */
export type Contain = <Args extends readonly unknown[]>(work: (...args: Args) => void) => (...args: Args) => void;

/** Told of what a body says. */
export interface BodyReader {
  readonly contained: Contain;
  /** The whole body. Valid during the call only. */
  read(bytes: Buffer): void;
  /** It is too long to be read. */
  tooLong(): void;
}

/** Passes a body on as it comes. */
export function passBody(from: IncomingMessage, to: ClientRequest, reader: BodyReader | undefined): void {
  const whole =
    reader &&
    new Pieces({
      line: reader.contained((bytes: Buffer) => reader.read(bytes)),
      longPiece: (_bytes, begins) => {
        if (begins) reader.tooLong();
      },
    });
  from.on('data', (chunk: Buffer) => {
    write(from, to, chunk);
    whole?.add(chunk, false);
  });
  from.once('end', () => {
    whole?.end();
    to.end();
  });
}

/**
 * Holds a body until it is whole; its reader sends it on. Only one that is too long to be read, or empty, passes by itself.
 *
 * @param ask begins the request to the server.
 */
export function holdBody(from: IncomingMessage, ask: () => ClientRequest, reader: BodyReader): void {
  let to: ClientRequest | undefined;
  let isRead = false;
  const whole = new Pieces({
    line(bytes) {
      isRead = true;
      reader.read(bytes);
    },
    longPiece(bytes, begins) {
      if (begins) reader.tooLong();
      to ??= ask();
      write(from, to, Buffer.from(bytes));
    },
  });
  const take = reader.contained((chunk: Buffer) => whole.add(chunk, false));
  const end = reader.contained(() => {
    whole.end();
    if (!isRead) (to ?? ask()).end();
  });
  from.on('data', take);
  from.once('end', end);
}

function write(from: IncomingMessage, to: ClientRequest, bytes: Buffer): void {
  if (to.write(bytes)) return;
  from.pause();
  to.once('drain', () => from.resume());
}
