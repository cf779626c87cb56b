// The latest calls that failed, of each server: a ring with a byte budget. Only what may leave the process is kept.
import type { ErrorCode } from '../errors/error-code.ts';
import type { Outcome } from '../protocol/outcome.ts';
import { shared } from './shared.ts';

/** A call that failed. */
export interface RecentError {
  /** Wall-clock time of its end, in ms since 1970. */
  readonly at: number;
  readonly method: string;
  /** The registered tool or prompt, where the call was aimed at one. */
  readonly target: string | undefined;
  readonly outcome: Outcome;
  readonly code: ErrorCode;
  /** Safe for a client: written by a `ToolError`, or only the type of what was thrown. */
  readonly message: string;
  readonly durationMs: number;
  readonly traceId: string | undefined;
  /** Whose call it was, where the protocol has sessions; never shown. */
  readonly sessionId: string | undefined;
}

const MAX_BYTES = 256 * 1_024;
const ENTRY_BYTES = 256;
const MAX_SERVERS = 100;

/** The latest failed calls, oldest forgotten first. */
export class RecentErrors {
  readonly #maxBytes: number;
  readonly #entries: { readonly error: RecentError; readonly bytes: number }[] = [];
  #bytes = 0;

  constructor(maxBytes: number = MAX_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** How much they take, roughly. */
  get bytes(): number {
    return this.#bytes;
  }

  add(error: RecentError): void {
    const bytes = ENTRY_BYTES + 2 * (error.message.length + (error.target?.length ?? 0));
    this.#entries.push({ error, bytes });
    this.#bytes += bytes;
    // a quarter at once, since to shift each time would cost more than the rest
    if (this.#bytes > this.#maxBytes) this.#forgetUntil(this.#maxBytes * 0.75);
  }

  /** All that is kept, newest first. */
  *newestFirst(): IterableIterator<RecentError> {
    for (let at = this.#entries.length - 1; at >= 0; at--) yield (this.#entries[at] as { error: RecentError }).error;
  }

  #forgetUntil(maxBytes: number): void {
    let count = 0;
    while (this.#bytes > maxBytes && count < this.#entries.length) {
      this.#bytes -= (this.#entries[count] as { bytes: number }).bytes;
      count++;
    }
    this.#entries.splice(0, count);
  }
}

const byServer = shared('recent-errors', () => new Map<string, RecentErrors>());

/** The latest failed calls of a server. */
export function recentErrorsOf(server: string): RecentErrors {
  let errors = byServer.get(server);
  if (errors === undefined) {
    errors = new RecentErrors();
    if (byServer.size < MAX_SERVERS) byServer.set(server, errors);
  }
  return errors;
}
