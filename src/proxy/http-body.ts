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
  const writer = new Writer(from, to);
  from.on('data', (chunk: Buffer) => {
    writer.write(chunk);
    whole?.add(chunk, false);
  });
  from.once('end', () => {
    whole?.end();
    writer.end();
  });
}

/**
 * Holds a body until it is whole; its reader sends it on. Only one that is too long to be read, or empty, passes by itself.
 *
 * @param ask begins the request to the server.
 */
export function holdBody(from: IncomingMessage, ask: () => ClientRequest, reader: BodyReader): void {
  let writer: Writer | undefined;
  let isRead = false;
  const whole = new Pieces({
    line(bytes) {
      isRead = true;
      reader.read(bytes);
    },
    longPiece(bytes, begins) {
      if (begins) reader.tooLong();
      writer ??= new Writer(from, ask());
      writer.write(Buffer.from(bytes));
    },
  });
  const take = reader.contained((chunk: Buffer) => whole.add(chunk, false));
  const end = reader.contained(() => {
    whole.end();
    if (!isRead) (writer ?? ask()).end();
  });
  from.on('data', take);
  from.once('end', end);
}

// A server may answer, and close, before it has read all. To write to it then is an error that takes the answer along: between
// two pieces there is a turn in which the answer is read.
class Writer {
  readonly #from: IncomingMessage;
  readonly #to: ClientRequest;
  #hasBegun = false;
  #waiting = 0;

  constructor(from: IncomingMessage, to: ClientRequest) {
    this.#from = from;
    this.#to = to;
    to.on('drain', () => this.#goOn());
    // nobody takes the rest
    to.once('close', () => from.resume());
  }

  write(bytes: Buffer): void {
    this.#from.pause();
    if (this.#hasBegun) this.#soon(() => this.#write(bytes));
    else this.#write(bytes);
    this.#hasBegun = true;
  }

  end(): void {
    if (this.#waiting === 0) this.#to.end();
    else this.#soon(() => this.#to.end());
  }

  #soon(work: () => void): void {
    this.#waiting++;
    setImmediate(() => {
      this.#waiting--;
      work();
    });
  }

  #write(bytes: Buffer): void {
    if (!this.#to.destroyed) this.#to.write(bytes);
    this.#goOn();
  }

  #goOn(): void {
    if (this.#waiting === 0 && !this.#to.writableNeedDrain) this.#from.resume();
  }
}
