// Counts the calls of a policy by how they ended: the outermost layer, so that it sees what the caller sees.
import type { Call, Layer, Next, PolicyStep } from './call.ts';
import { CALL_OUTCOMES, type CallOutcome } from './events.ts';
import { failureOfResult, isWithdrawn, type FailOn } from './failure.ts';
import { isTimeLimit, refusalOf } from './refusal.ts';
import { zeroes, type PolicySnapshot } from './snapshot.ts';

/** Counts calls by outcome. */
export class Tally implements Layer {
  readonly #calls = zeroes(CALL_OUTCOMES);
  readonly #failOn: FailOn | undefined;

  constructor(failOn?: FailOn) {
    this.#failOn = failOn;
  }

  async execute(call: Call, next: Next): Promise<unknown> {
    let value: unknown;
    try {
      value = await next(call);
    } catch (error) {
      this.count(outcomeOf(call, error));
      throw error;
    }
    if (call.fellBack) this.count('fallback');
    else this.count(failureOfResult(value, this.#failOn) === undefined ? 'success' : 'failure');
    return value;
  }

  count(outcome: CallOutcome): void {
    this.#calls[outcome]++;
  }

  describe(): PolicyStep {
    return { policy: 'tally' };
  }

  report(): Pick<PolicySnapshot, 'calls'> {
    return { calls: { ...this.#calls } };
  }
}

function outcomeOf(call: Call, error: unknown): CallOutcome {
  if (isWithdrawn(call)) return 'cancelled';
  if (isTimeLimit(error)) return 'timeout';
  return refusalOf(error) === undefined ? 'failure' : 'rejected';
}
