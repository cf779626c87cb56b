// Opens where the share of failed or slow calls among the latest ones is too large. Pure.
import { tooMany, type Shares } from './shares.ts';
import type { Counts, Strategy } from './strategy.ts';

const FAILED = 1;
const SLOW = 2;

export class CountWindow implements Strategy {
  readonly #shares: Shares;
  // a ring of the latest calls; what is in it is counted as it comes and goes
  readonly #calls: Uint8Array;
  #next = 0;
  #size = 0;
  #failures = 0;
  #slow = 0;

  constructor(calls: number, shares: Shares) {
    this.#shares = shares;
    this.#calls = new Uint8Array(calls);
  }

  succeeded(_at: number, slow: boolean): 'ratio' | 'slow_ratio' | undefined {
    this.#add(slow ? SLOW : 0);
    return slow ? this.#verdict() : undefined;
  }

  failed(_at: number, slow: boolean): 'ratio' | 'slow_ratio' | undefined {
    this.#add(slow ? FAILED | SLOW : FAILED);
    return this.#verdict();
  }

  counts(): Counts {
    return { calls: this.#size, failures: this.#failures };
  }

  clear(): void {
    this.#calls.fill(0);
    this.#next = 0;
    this.#size = 0;
    this.#failures = 0;
    this.#slow = 0;
  }

  #add(call: number): void {
    const gone = this.#calls[this.#next] ?? 0;
    this.#calls[this.#next] = call;
    this.#next = (this.#next + 1) % this.#calls.length;
    this.#size = Math.min(this.#size + 1, this.#calls.length);
    this.#failures += (call & FAILED) - (gone & FAILED);
    this.#slow += ((call & SLOW) - (gone & SLOW)) / SLOW;
  }

  #verdict(): 'ratio' | 'slow_ratio' | undefined {
    return tooMany(this.#shares, this.#size, this.#failures, this.#slow);
  }
}
