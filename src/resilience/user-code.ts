// What a policy asks of its user's own code. Each instance keeps its own, while state is kept by name; what it does wrong never
// reaches a call. Pure.
import { classificationIn } from '../errors/classify.ts';
import { read } from '../errors/read.ts';
import { shown } from '../options.ts';
import type { FailOn, Failure } from './failure.ts';

/** Says of an error whether it counts. */
export type Predicate = (error: unknown) => boolean;

/** What a user may give a policy beside settings. */
export interface UserFunctions {
  readonly failOn?: FailOn | undefined;
  readonly when?: Predicate | undefined;
  /** The fallback: in a box, since it may be any value; undefined for none. */
  readonly answer?: { readonly value: unknown } | undefined;
}

const FAILED: Failure = { code: 'UNAVAILABLE', fault: 'dependency', retryable: true, retryAfterMs: undefined };
const MAX_COMPLAINTS = 200;
const complainedAbout = new Set<string>();

/** The functions and the fallback of one layer of one instance of a policy. */
export class UserCode implements UserFunctions {
  readonly failOn: FailOn | undefined;
  readonly when: Predicate | undefined;
  readonly answer: { readonly value: unknown } | undefined;
  readonly #owner: string;
  readonly #when: string;

  /**
   * @param owner the policy whose functions these are, for messages.
   * @param part the part of it that `when` belongs to.
   */
  constructor(owner: string, { failOn, when, answer }: UserFunctions, part?: string) {
    this.#owner = owner;
    this.#when = part === undefined ? 'when' : `${part}.when`;
    this.failOn = failOn;
    this.when = when;
    this.answer = answer;
  }

  /** What is wrong with a result; undefined where nothing is. Never throws. */
  failureOf(result: unknown): Failure | undefined {
    const { failOn } = this;
    if (failOn === undefined) return undefined;
    try {
      const verdict: unknown = failOn(result);
      if (verdict === false || verdict === undefined || verdict === null) return undefined;
      if (verdict === true) return FAILED;
      const failure = classificationIn(verdict);
      if (failure === undefined)
        this.#complain('failOn', `answered ${answered(verdict)}`, 'results count as successes');
      return failure;
    } catch (error) {
      this.#complain('failOn', `threw ${thrown(error)}`, 'results count as successes');
      return undefined;
    }
  }

  /** What `when` says of an error; undefined where there is none, or it says nothing of use. Never throws. */
  verdictOn(error: unknown): boolean | undefined {
    const { when } = this;
    if (when === undefined) return undefined;
    try {
      const verdict: unknown = when(error);
      if (typeof verdict === 'boolean') return verdict;
      this.#complain(this.#when, `answered ${answered(verdict)}`, 'errors count by their classification');
    } catch (second) {
      this.#complain(this.#when, `threw ${thrown(second)}`, 'errors count by their classification');
    }
    return undefined;
  }

  /** Whether another instance would ask the very same. */
  equals({ failOn, when, answer }: UserFunctions): boolean {
    return failOn === this.failOn && when === this.when && Object.is(answer?.value, this.answer?.value);
  }

  #complain(what: string, did: string, instead: string): void {
    const key = `${this.#owner}: ${what}`;
    if (complainedAbout.has(key) || complainedAbout.size >= MAX_COMPLAINTS) return;
    complainedAbout.add(key);
    process.emitWarning(`${key} ${did}; where it does, ${instead}. This is said once.`, 'ToolspanWarning');
  }
}

/** The code of a layer that asks nothing. */
export const NO_CODE: UserCode = new UserCode('', {});

function answered(verdict: unknown): string {
  if (typeof read(verdict, 'then') !== 'function') return shown(verdict);
  // nobody else will look at it
  Promise.resolve(verdict).catch(() => {});
  return 'a promise, which is not waited for';
}

function thrown(error: unknown): string {
  try {
    return String(error);
  } catch {
    return 'a value that cannot be printed';
  }
}
