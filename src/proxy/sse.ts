// Server-sent events in a stream of bytes: where each ends, and the message in it. An event may span chunks, have several data
// lines, end its lines with LF, CR or CRLF, and be a comment only. https://html.spec.whatwg.org/multipage/server-sent-events.html
import { Pieces, type LineHandler } from './lines.ts';

const LF = 0x0a;
const CR = 0x0d;

/** What an event says. */
export interface SseEvent {
  /** `message` where the event names no other. */
  readonly type: string;
  readonly hasId: boolean;
  /** The data lines, joined; undefined for a comment or another event without data. */
  readonly data: string | undefined;
  /** Where the data stands, where it is one line. */
  readonly dataFrom: number | undefined;
  readonly dataTo: number;
}

/** Cuts a stream into events; a "line" is an event with the empty line that ends it. */
export class SseEvents {
  readonly #pieces: Pieces;
  #lineIsEmpty = true;
  #afterCr = false;

  constructor(handler: LineHandler) {
    this.#pieces = new Pieces(handler);
  }

  write(chunk: Buffer): void {
    let from = 0;
    const cut = (to: number): void => {
      this.#pieces.add(chunk.subarray(from, to), true);
      from = to;
    };
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at];
      const secondHalf = byte === LF && this.#afterCr;
      this.#afterCr = byte === CR;
      if (secondHalf) {
        // the second byte of a line end whose event is gone by now
        if (this.#lineIsEmpty && at === from && this.#pieces.isEmpty) cut(at + 1);
      } else if (byte !== LF && byte !== CR) {
        this.#lineIsEmpty = false;
      } else if (!this.#lineIsEmpty) {
        this.#lineIsEmpty = true;
      } else if (byte === CR && chunk[at + 1] === LF) {
        this.#afterCr = false;
        cut(++at + 1);
      } else {
        cut(at + 1);
      }
    }
    if (from < chunk.length) this.#pieces.add(chunk.subarray(from), false);
  }

  /** The stream is over. What is left is no event by the standard, but passes. */
  end(): void {
    this.#pieces.end();
  }
}

/** Reads one event. */
export function readEvent(bytes: Buffer): SseEvent {
  let type = 'message';
  let hasId = false;
  const data: string[] = [];
  let dataFrom: number | undefined;
  let dataTo = 0;
  for (let from = 0; from < bytes.length;) {
    let to = from;
    while (to < bytes.length && bytes[to] !== LF && bytes[to] !== CR) to++;
    const colon = bytes.subarray(from, to).indexOf(0x3a);
    const nameEnd = colon < 0 ? to : from + colon;
    const field = bytes.subarray(skipsByteOrderMark(bytes, from), nameEnd).toString('utf8');
    let value = colon < 0 ? to : nameEnd + 1;
    if (bytes[value] === 0x20 && value < to) value++;
    if (field === 'data') {
      dataFrom = value;
      dataTo = to;
      data.push(bytes.subarray(value, to).toString('utf8'));
    } else if (field === 'event') {
      type = bytes.subarray(value, to).toString('utf8') || 'message';
    } else if (field === 'id') {
      hasId = true;
    }
    from = to + 1;
  }
  const single = data.length === 1;
  return {
    type,
    hasId,
    data: data.length === 0 ? undefined : data.join('\n'),
    dataFrom: single ? dataFrom : undefined,
    dataTo,
  };
}

function skipsByteOrderMark(bytes: Buffer, at: number): number {
  return at === 0 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : at;
}
