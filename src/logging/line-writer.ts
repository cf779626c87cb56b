// Lines on their way to a file descriptor that may be slow: written in batches, never waited for, dropped and counted where
// too many wait. A pipe that nobody reads neither stops the event loop nor keeps the process alive.

const MAX_WAITING = 1_048_576;
const MAX_BATCH = 65_536;
const FIRST_RETRY_MS = 10;
const LAST_RETRY_MS = 320;

/** Writes what it can of the bytes, and returns how many that were; throws an error with the code `EAGAIN` for none. */
export type WriteBytes = (bytes: Buffer) => number;

/** Keeps lines until they are written. */
export class LineWriter {
  readonly #write: WriteBytes;
  readonly #report: (dropped: number) => string;
  #lines: string[] = [];
  #waiting = 0;
  #rest: Buffer | undefined;
  #scheduled: NodeJS.Immediate | undefined;
  #retry: NodeJS.Timeout | undefined;
  #retryMs = FIRST_RETRY_MS;
  #dropped = 0;
  #unreported = 0;
  #broken = false;

  /** @param report makes the line that says how many were dropped, as soon as there is room for it. */
  constructor(write: WriteBytes, report: (dropped: number) => string) {
    this.#write = write;
    this.#report = report;
  }

  /** How many lines were dropped so far. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes a line, without its line break; it is written soon, or dropped. */
  push(line: string): void {
    if (this.#broken || this.#waiting + line.length > MAX_WAITING) {
      this.#dropped++;
      this.#unreported++;
      return;
    }
    this.#lines.push(line);
    this.#waiting += line.length + 1;
    if (this.#scheduled !== undefined || this.#retry !== undefined) return;
    this.#scheduled = setImmediate(() => this.flush());
    this.#scheduled.unref();
  }

  /** Writes what can be written now. */
  flush(): void {
    clearImmediate(this.#scheduled);
    clearTimeout(this.#retry);
    this.#scheduled = undefined;
    this.#retry = undefined;
    try {
      while (this.#rest !== undefined || this.#lines.length > 0) {
        this.#rest ??= this.#nextBatch();
        const written = this.#write(this.#rest);
        this.#retryMs = FIRST_RETRY_MS;
        this.#rest = written < this.#rest.length ? this.#rest.subarray(written) : undefined;
        if (this.#rest === undefined && this.#lines.length === 0) this.#reportDropped();
      }
    } catch (error) {
      this.#failed(error);
    }
  }

  #nextBatch(): Buffer {
    let count = 0;
    let size = 0;
    while (count < this.#lines.length && (count === 0 || size < MAX_BATCH))
      size += (this.#lines[count++]?.length ?? 0) + 1;
    const batch = this.#lines.splice(0, count);
    this.#waiting -= size;
    return Buffer.from(`${batch.join('\n')}\n`);
  }

  #reportDropped(): void {
    if (this.#unreported === 0) return;
    const line = this.#report(this.#unreported);
    this.#unreported = 0;
    this.#lines.push(line);
    this.#waiting += line.length + 1;
  }

  #failed(error: unknown): void {
    if ((error as { code?: unknown } | null)?.code !== 'EAGAIN') {
      // the reader is gone, or the descriptor was closed: there is nobody left to write to
      this.#broken = true;
      this.#lines = [];
      this.#rest = undefined;
      return;
    }
    this.#retry = setTimeout(() => this.flush(), this.#retryMs);
    this.#retry.unref();
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
  }
}
