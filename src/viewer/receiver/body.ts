// The body of a request: whole, inflated, and never larger than allowed.
import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';

/** Why a body was not taken, as an HTTP status. */
export class BodyError extends Error {
  override readonly name = 'BodyError';
  readonly status: 400 | 413 | 415;

  constructor(status: 400 | 413 | 415, message: string) {
    super(message);
    this.status = status;
  }
}

/** Most bytes of a body. */
export interface BodyLimits {
  /** As it comes over the wire. */
  readonly wire: number;
  /** After it is inflated. */
  readonly inflated: number;
}

const INFLATERS = { gzip: promisify(gunzip), 'x-gzip': promisify(gunzip), deflate: promisify(inflate) };

/**
 * Reads a body to its end.
 *
 * @throws {BodyError} too large, in an encoding that is not known, or broken.
 */
export async function readBody(request: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding !== 'identity' && !Object.hasOwn(INFLATERS, encoding)) {
    throw new BodyError(415, `expected Content-Encoding gzip, deflate or identity, got "${encoding.slice(0, 40)}"`);
  }
  const wire = await collect(request, limits.wire);
  if (encoding === 'identity') return wire;
  try {
    return await INFLATERS[encoding as keyof typeof INFLATERS](wire, { maxOutputLength: limits.inflated });
  } catch (error) {
    if (error instanceof RangeError) {
      throw new BodyError(413, `expected at most ${limits.inflated} bytes after inflating; send smaller batches`);
    }
    throw new BodyError(400, `expected a body in ${encoding}, got bytes that are not`);
  }
}

async function collect(request: IncomingMessage, limit: number): Promise<Buffer> {
  const tooLarge = new BodyError(413, `expected a body of at most ${limit} bytes; send smaller batches`);
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge;
  const chunks: Buffer[] = [];
  let length = 0;
  // not destroyed at once where it is too large: the sender is to be told
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limit) throw tooLarge;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
