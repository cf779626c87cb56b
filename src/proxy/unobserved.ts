// What passes unread, counted by reason: lines that are no JSON, messages too long, bodies that are compressed.
import { metrics, type Counter, type MeterProvider } from '@opentelemetry/api';
import { complainOnce } from '../diagnostics.ts';
import { ATTR_TOOLSPAN_UNOBSERVED_REASON, METRIC_TOOLSPAN_PROXY_UNOBSERVED, SCOPE_NAME } from '../telemetry/names.ts';
import { VERSION } from '../version.ts';

/** Why something passed unread. */
export type UnobservedReason = 'not_json' | 'too_long' | 'encoded' | 'too_many';

const SAID: Readonly<Record<UnobservedReason, string>> = {
  not_json: 'there are lines that are no JSON-RPC messages; they are passed on as they are',
  too_long: 'a message of more than 16 MiB is passed on unread',
  too_many: 'a connection has 10,000 operations that nobody has answered; more requests are passed on unobserved',
  encoded: 'an answer is compressed although it was not asked for, and is passed on unread',
};

/** Counts what passes unread. */
export class Unobserved {
  readonly #counter: Counter;
  readonly #counts: Record<UnobservedReason, number> = { not_json: 0, too_long: 0, encoded: 0, too_many: 0 };

  constructor(meterProvider: MeterProvider = metrics.getMeterProvider()) {
    this.#counter = meterProvider.getMeter(SCOPE_NAME, VERSION).createCounter(METRIC_TOOLSPAN_PROXY_UNOBSERVED, {
      unit: '{message}',
      description: 'Lines, messages and bodies that passed through the proxy unread, by reason.',
    });
  }

  /** How many so far. */
  get counts(): Readonly<Record<UnobservedReason, number>> {
    return this.#counts;
  }

  count(reason: UnobservedReason): void {
    this.#counts[reason]++;
    this.#counter.add(1, { [ATTR_TOOLSPAN_UNOBSERVED_REASON]: reason });
    complainOnce(
      `unobserved:${reason}`,
      `${SAID[reason]}; how many is counted as ${METRIC_TOOLSPAN_PROXY_UNOBSERVED}.`,
    );
  }
}
