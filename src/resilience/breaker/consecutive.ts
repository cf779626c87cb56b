// Opens after so many failures in a row. Pure.
import type { Counts, Strategy } from './strategy.ts';

export class Consecutive implements Strategy {
  readonly #threshold: number;
  #inARow = 0;

  constructor(threshold: number) {
    this.#threshold = threshold;
  }

  succeeded(): undefined {
    this.#inARow = 0;
  }

  failed(): 'consecutive' | undefined {
    return ++this.#inARow >= this.#threshold ? 'consecutive' : undefined;
  }

  counts(): Counts {
    return { calls: this.#inARow, failures: this.#inARow };
  }

  clear(): void {
    this.#inARow = 0;
  }
}
