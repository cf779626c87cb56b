// Where the spans of a door differ from those of a server instrumented by hand: the table of docs/doors.md is made from this, and
// the conformance test fails for a difference that is not here, or is here and not there.
import type { Carrier, Peer } from '../harness/matrix.ts';

/** A span as the doors are compared by. */
export interface PlainSpan {
  readonly name: string;
  readonly kind: 'SERVER' | 'CLIENT';
  /** `caller`, the name of another span of the scenario, or `none`. */
  readonly parent: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly status: string;
  /** Names of events, with the type of an exception. */
  readonly events: readonly string[];
  readonly links: number;
}

export interface Difference {
  readonly door: 'wrap';
  /** Where it is seen; for the table. */
  readonly where: string;
  readonly byHand: string;
  readonly through: string;
  /** What a span of a server instrumented by hand is through this door. */
  readonly apply: (span: PlainSpan, peer: Peer, carrier: Carrier, scenario: string) => PlainSpan;
}

const isException = (event: string): boolean => event.startsWith('exception');

export const DIFFERENCES: readonly Difference[] = [
  {
    door: 'wrap',
    where: 'a tool that throws or returns nothing, and is answered for with `isError`',
    byHand: '`toolspan.error.code`, as the error is classified',
    through: 'none, unless the answer names one in `_meta["toolspan/error"]`',
    apply: (span, _peer, _carrier, scenario) => {
      const { 'toolspan.error.code': _, ...attributes } = span.attributes;
      const failed = scenario === 'a tool that returns nothing' || span.events.some(isException);
      return failed && attributes['toolspan.outcome'] === 'tool_error' ? { ...span, attributes } : span;
    },
  },
  {
    door: 'wrap',
    where: 'a handler that throws',
    byHand: 'an event `exception` with type, message and stack',
    through: 'none: what was thrown never leaves the server',
    apply: (span) => ({ ...span, events: span.events.filter((event) => !isException(event)) }),
  },
  {
    door: 'wrap',
    where: 'a tool that fails before it was listed or has succeeded once',
    byHand: 'its name, as the server knows its tools',
    through:
      '`_other` in the name of the span and on metrics, as a name that anybody could make up; the attribute has it',
    apply: (span, _peer, _carrier, scenario) =>
      scenario === 'a tool that fails before anything was listed'
        ? { ...span, name: span.name.replace(/ fails$/, ' _other') }
        : span,
  },
  {
    door: 'wrap',
    where: 'a tool of SDK v1 that returns nothing',
    byHand: "the server's failure: `error.type` -32602, INTERNAL_ERROR, status ERROR",
    through: "the caller's mistake, as the answer says: no `error.type`, VALIDATION_ERROR, status UNSET",
    apply: (span, peer, _carrier, scenario) => {
      if (peer !== 'v1' || scenario !== 'a tool that returns nothing') return span;
      const { 'error.type': _, ...rest } = span.attributes;
      return { ...span, attributes: { ...rest, 'toolspan.error.code': 'VALIDATION_ERROR' }, status: 'UNSET' };
    },
  },
];

/** The table of docs/doors.md. */
export function table(): string {
  const rows = DIFFERENCES.map(
    ({ door, where, byHand, through }) => `| \`${door}\` | ${where} | ${byHand} | ${through} |`,
  );
  return ['| door | where | by hand | through this door |', '| --- | --- | --- | --- |', ...rows].join('\n');
}
