// Lines of bytes, cut at line feeds, however the bytes come in: a character that a chunk splits, a missing last line feed and
// anything that is no text stay as they are. Pure.

/** Longest message that is looked at, in bytes; a longer one passes unread. */
export const MAX_MESSAGE_BYTES: number = 16 * 1_024 * 1_024;

const FIRST_BLOCK_BYTES = 8 * 1_024;
const MAX_BLOCK_BYTES = 1_024 * 1_024;
const LINE_FEED = 0x0a;

/** Told of every line. */
export interface LineHandler {
  /** A whole line with its line feed, where it has one. Valid during the call only. */
  line(bytes: Buffer): void;
  /** A piece of a line that is too long to be looked at. Valid during the call only. */
  longPiece(bytes: Buffer, begins: boolean): void;
}

/** Bytes kept until they are complete, in blocks: growing one buffer would leave as much behind for the collector. */
class Held {
  #blocks: Buffer[] = [];
  /** How much of the last block is used. */
  #used = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(bytes: Buffer): void {
    for (let from = 0; from < bytes.length;) {
      let block = this.#blocks.at(-1);
      if (block === undefined || this.#used === block.length) {
        block = Buffer.allocUnsafeSlow(Math.min(MAX_BLOCK_BYTES, Math.max(FIRST_BLOCK_BYTES, this.#size)));
        this.#blocks.push(block);
        this.#used = 0;
      }
      const copied = bytes.copy(block, this.#used, from);
      this.#used += copied;
      this.#size += copied;
      from += copied;
    }
  }

  /** What is kept, in pieces; nothing is kept afterwards. */
  takePieces(): Buffer[] {
    const pieces = this.#blocks;
    const last = pieces.pop();
    if (last !== undefined) pieces.push(last.subarray(0, this.#used));
    this.#blocks = [];
    this.#used = 0;
    this.#size = 0;
    return pieces;
  }

  /** What is kept, as one; nothing is kept afterwards. */
  take(): Buffer {
    const pieces = this.takePieces();
    return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
  }
}

/** Puts together what comes in pieces, as far as it is not too long. */
export class Pieces {
  readonly #handler: LineHandler;
  readonly #max: number;
  readonly #held = new Held();
  #long = false;

  constructor(handler: LineHandler, max: number = MAX_MESSAGE_BYTES) {
    this.#handler = handler;
    this.#max = max;
  }

  get isEmpty(): boolean {
    return this.#held.size === 0;
  }

  /** @param complete whether the line ends with this piece. */
  add(bytes: Buffer, complete: boolean): void {
    const held = this.#held;
    if (this.#long) {
      this.#long = !complete;
      this.#handler.longPiece(bytes, false);
    } else if (held.size + bytes.length > this.#max) {
      this.#long = !complete;
      let begins = true;
      for (const piece of [...held.takePieces(), bytes]) {
        this.#handler.longPiece(piece, begins);
        begins = false;
      }
    } else if (!complete) {
      held.add(bytes);
    } else if (held.size === 0) {
      this.#handler.line(bytes);
    } else {
      held.add(bytes);
      this.#handler.line(held.take());
    }
  }

  /** Nothing more comes: what is left is a line too. */
  end(): void {
    if (this.#held.size > 0) this.#handler.line(this.#held.take());
  }
}

/** Cuts a stream into lines. */
export class Lines {
  readonly #pieces: Pieces;

  constructor(handler: LineHandler, max?: number) {
    this.#pieces = new Pieces(handler, max);
  }

  write(chunk: Buffer): void {
    for (let from = 0; from < chunk.length;) {
      const feed = chunk.indexOf(LINE_FEED, from);
      const to = feed < 0 ? chunk.length : feed + 1;
      this.#pieces.add(chunk.subarray(from, to), feed >= 0);
      from = to;
    }
  }

  /** The stream is over: what is left is a line without a line feed. */
  end(): void {
    this.#pieces.end();
  }
}
