// Of the figures of operations.
import { OWN, type Requirement } from './requirement.ts';

export const statsRequirements = {
  'stats.quantiles': { source: OWN, behaviour: 'a quantile is within 1 % of the exact one, from 100 µs to 5 min' },
  'stats.exact': { source: OWN, behaviour: 'count, sum, least and greatest are exact' },
  'stats.merge': { source: OWN, behaviour: 'distributions that are added are the distribution of all' },
  'stats.windows': { source: OWN, behaviour: 'a window holds what ended within it, and the rest stays in the total' },
  'stats.clock': { source: OWN, behaviour: 'a jump of the wall clock changes no window; a late reading is not lost' },
  'stats.memory': {
    source: OWN,
    behaviour: 'a series of whatever durations takes at most 64 KB, a quiet one far less',
  },
  'stats.bounded': {
    source: OWN,
    behaviour: 'at most 200 series, then _other; memory stays flat over millions of calls',
  },
  'stats.feed': {
    source: OWN,
    behaviour: 'every operation is counted by outcome and code, without any OpenTelemetry SDK',
  },
  'stats.blame': { source: OWN, behaviour: 'failures of the server and mistakes of callers are counted apart' },
  'stats.outlives': { source: OWN, behaviour: 'the figures outlive the instances of a server' },
  'stats.in-flight': { source: OWN, behaviour: 'what is in flight is counted, and counted out once' },
} as const satisfies Record<string, Requirement>;
