// Texts that come again and again, as keys and names do: found by their bytes, so that each is made once.

const SLOTS = 8_192;
const LONGEST = 64;

/** A bounded cache from UTF-8 bytes to the text they are. */
export class TextCache {
  readonly #texts = Array.from<string | undefined>({ length: SLOTS });

  read(bytes: Buffer, start: number, end: number): string {
    const length = end - start;
    if (length === 0) return '';
    if (length > LONGEST) return bytes.toString('utf8', start, end);
    let hash = length;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x0100_0193);
    const slot = (hash >>> 7) & (SLOTS - 1);
    const cached = this.#texts[slot];
    if (cached !== undefined && cached.length === length && isAsciiOf(bytes, start, cached)) return cached;
    const text = bytes.toString('utf8', start, end);
    this.#texts[slot] = text;
    return text;
  }
}

// other texts have another length than their bytes, or bytes that are no ASCII: they are made each time
function isAsciiOf(bytes: Buffer, start: number, text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code > 0x7f || bytes[start + index] !== code) return false;
  }
  return true;
}
