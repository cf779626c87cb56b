// Steady calls, whatever else happens meanwhile.

export class Traffic {
  readonly #timer: NodeJS.Timeout;
  readonly #calls: Promise<number | Error>[] = [];

  /** @param call fails where the call did; the test fails with it at the stop. */
  constructor(perSecond: number, call: () => Promise<unknown>) {
    this.#timer = setInterval(() => this.#calls.push(timed(call)), 1_000 / perSecond);
  }

  /** How many calls were begun. */
  get begun(): number {
    return this.#calls.length;
  }

  /** Begins no more, and waits for those that run: their durations in ms. */
  async stop(): Promise<number[]> {
    clearInterval(this.#timer);
    const ended = await Promise.all(this.#calls);
    const failures = ended.filter((end) => end instanceof Error);
    if (failures.length > 0) throw new AggregateError(failures, `${failures.length} of ${ended.length} calls failed`);
    return ended.filter((end) => typeof end === 'number');
  }
}

async function timed(call: () => Promise<unknown>): Promise<number | Error> {
  const start = performance.now();
  try {
    await call();
    return performance.now() - start;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** How many calls there were and how long they took, for the eye. */
export function report(what: string, durations: readonly number[]): void {
  const sorted = durations.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]?.toFixed(1);
  process.stdout.write(
    `${what}: ${sorted.length} calls, median ${at(0.5)} ms, 95th percentile ${at(0.95)} ms, longest ${at(1)} ms\n`,
  );
}
