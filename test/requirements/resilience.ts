// Of the policies: what each does, how they stand together, what they tell, and around whole tools.
import { OWN, type Requirement } from './requirement.ts';

const RETRY_AFTER = 'https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3';
const SRE = 'https://sre.google/sre-book/handling-overload/';

export const resilienceRequirements = {
  'policy.order': {
    source: OWN,
    behaviour: 'a call passes the parts in one fixed order, which describe() shows with the options in force',
  },
  'policy.defaults': { source: OWN, behaviour: 'the defaults are those that are documented' },
  'policy.identity': {
    source: OWN,
    behaviour: 'the same name with the same options is the same policy, with others it is refused',
  },
  'policy.cross-checks': { source: OWN, behaviour: 'options that contradict each other are refused at construction' },
  'policy.bad-option': {
    source: OWN,
    behaviour: 'every bad option is named at construction, with what is expected and what came',
  },
  'policy.refusal': {
    source: OWN,
    behaviour: 'a refusal is neither retried nor counted by a breaker, also from another copy of the package',
  },
  'policy.slot-kept': { source: OWN, behaviour: 'a slot is kept while a call waits for its retry' },
  'policy.shared-breaker': {
    source: OWN,
    behaviour: 'one breaker may guard several policies, and tells of itself once',
  },
  'policy.abort': {
    source: OWN,
    behaviour: 'an abort by the caller settles a call at once, wherever it is, with the reason of the abort',
  },
  'policy.ambient': { source: OWN, behaviour: 'a tool call that is withdrawn ends every policy that works for it' },
  'policy.cheap': {
    source: OWN,
    behaviour:
      'a call that succeeds reads the clock once at most, and has no timer or controller unless a limit is set',
  },
  'policy.listeners': { source: OWN, behaviour: 'what a listener does wrong never reaches a call' },
  'policy.counts': { source: OWN, behaviour: 'calls are counted by outcome' },
  'policy.registry': {
    source: OWN,
    behaviour: 'named policies are announced, existing ones too, and their number is bounded',
  },
  'policy.health': { source: OWN, behaviour: 'how every breaker stands can be read without a call' },
  'retry.attempts': { source: OWN, behaviour: 'attempts counts calls, and the last error is thrown as it was' },
  'retry.backoff': { source: OWN, behaviour: 'delays grow to a cap and are spread by chance, whatever chance does' },
  'retry.abort': { source: OWN, behaviour: 'an abort during backoff settles at once, and nothing runs again' },
  'retry.retryable': {
    source: OWN,
    behaviour: 'only what may be mended is retried: no mistake of the caller, no abort, no open breaker',
  },
  'retry.fail-on': { source: OWN, behaviour: 'a failed result is retried like an error, and at last returned' },
  'retry.retry-after': { source: RETRY_AFTER, behaviour: 'a server that says when to come back is not asked earlier' },
  'retry.deadline': { source: OWN, behaviour: 'a retry that would come after the deadline is not waited for' },
  'retry.budget': { source: SRE, behaviour: 'retries of a sliding minute are at most max(10, 20 % of calls)' },
  'retry.once': { source: OWN, behaviour: 'a call that must not be made twice is not' },
  'retry.context': { source: OWN, behaviour: 'each attempt starts in the context of the caller' },
  'http.failure': {
    source: 'https://www.rfc-editor.org/rfc/rfc9110#section-15',
    behaviour: 'a response is a failure where the service failed, with what it says of the next try',
  },
  'breaker.model': { source: OWN, behaviour: 'a breaker does what a written model of it does, whatever happens' },
  'breaker.opens': { source: OWN, behaviour: 'a breaker opens on failures in a row, and on the share of a window' },
  'breaker.probes': {
    source: OWN,
    behaviour: 'a half-open breaker lets exactly its probes through, and all of them must succeed',
  },
  'breaker.lease': {
    source: OWN,
    behaviour: 'the permit of a probe comes back however it ends, and expires where it never does',
  },
  'breaker.eras': { source: OWN, behaviour: 'what was let through before the state changed has no say after it' },
  'breaker.void': { source: OWN, behaviour: "a caller's mistakes and cancellations count neither way" },
  'breaker.reads': { source: OWN, behaviour: 'the state is worked out when it is read, without a timer or a call' },
  'breaker.growth': { source: OWN, behaviour: 'a breaker stays open longer each time its probes fail, up to a limit' },
  'breaker.manual': { source: OWN, behaviour: 'a breaker can be opened and closed by hand' },
  'breaker.retry-after': { source: OWN, behaviour: 'a refused call is told when the next may pass' },
  'breaker.explains': { source: OWN, behaviour: 'a transition says from what to what, why, and on which counts' },
  'timeout.rejects': {
    source: OWN,
    behaviour: 'a time limit aborts the signal and rejects when it is over, whatever the function does',
  },
  'timeout.abort': { source: OWN, behaviour: "a caller's abort under a time limit is no timeout" },
  'timeout.late': { source: OWN, behaviour: 'what comes after the limit is dropped, and lets go of what it holds' },
  'bulkhead.model': { source: OWN, behaviour: 'a bulkhead does what a written model of it does, whatever happens' },
  'bulkhead.queue': { source: OWN, behaviour: 'calls wait in turn, and who is withdrawn leaves the queue at once' },
  'rate-limit.bucket': { source: OWN, behaviour: 'no more calls pass than there are permits, for each key by itself' },
  'rate-limit.keys': { source: OWN, behaviour: 'the number of keys that are kept is bounded' },
  'fallback.answers': { source: OWN, behaviour: 'a fallback answers a failure, and is told the error' },
  'fallback.not': { source: OWN, behaviour: "no fallback answers a caller's mistake or a withdrawn call" },
  'fallback.fails': { source: OWN, behaviour: 'a fallback that fails reports both errors' },
  'fallback.switch': { source: OWN, behaviour: 'a fallback can be switched off and on at run time' },
  'wrap.order': { source: OWN, behaviour: 'wrap puts policies into one another, outermost first' },
  'policy.outage': {
    source: SRE,
    behaviour: 'policies do not multiply an outage, and are well within the open interval in force when it ends',
  },
  'telemetry.retry-events': {
    source: OWN,
    behaviour: 'a retry is an event with ordinal, delay and cause on the span where it happened; recovery is no error',
  },
  'telemetry.breaker-events': {
    source: OWN,
    behaviour: 'a breaker shows its transitions and refusals on the span of the call that saw them',
  },
  'telemetry.other-events': {
    source: OWN,
    behaviour: 'time limits, refusals and fallbacks are events on the active span',
  },
  'telemetry.policy-metrics': {
    source: OWN,
    behaviour: 'policies are measured by outcome, retry result, breaker state and time in it, and use of a bulkhead',
  },
  'telemetry.late-provider': {
    source: OWN,
    behaviour: 'a meter provider that is registered later, or anew, is shown every policy',
  },
  'telemetry.once': { source: OWN, behaviour: 'two copies of the package in one process show policies once' },
  'tools.binding': {
    source: OWN,
    behaviour: 'policies around tools are found by name or annotation, the narrower one part by part',
  },
  'tools.retry': {
    source: 'https://modelcontextprotocol.io/specification/2025-11-25/server/tools',
    behaviour: 'a tool is retried only where its annotations allow it, unless forced; recovery leaves no error',
  },
  'tools.keyed': { source: OWN, behaviour: 'policies outlive servers that are made for each request' },
  'tools.abort': { source: OWN, behaviour: 'a call that its caller withdraws ends everything below it' },
  'tools.timeout': { source: OWN, behaviour: 'a tool that takes too long ends with everything below it' },
  'tools.rate-limit': {
    source: OWN,
    behaviour: 'a rate limit is kept for each session, else each authenticated caller, else for all',
  },
  'tools.refusal': { source: OWN, behaviour: 'an agent that is refused is told when to call again' },
  'tools.results': {
    source: OWN,
    behaviour: 'a failed result counts as its code says; one without a code is an answer',
  },
  'tools.fallback': {
    source: OWN,
    behaviour: 'a fallback answers for a tool that fails, not for one that asks for something',
  },
  'tools.low-level': { source: OWN, behaviour: 'a low-level server has policies for the tools that are listed' },
  'tools.disabled': { source: OWN, behaviour: 'policies stay where telemetry is switched off' },
  'tools.bounded': { source: OWN, behaviour: 'tools without end do not make policies without end' },
  'tools.bad-option': { source: OWN, behaviour: 'a bad policy for a tool is named with the tool, at once' },
  'tools.conflict': {
    source: OWN,
    behaviour: 'policies that contradict an earlier server are said once, and no call fails',
  },
  'tools.shared-breaker': { source: OWN, behaviour: 'one breaker around the tools of two servers is one series' },
  'compare.cockatiel': {
    source: 'https://www.npmjs.com/package/cockatiel',
    behaviour: 'on the same scenario toolspan is never worse than cockatiel',
  },
  'compare.p-retry': {
    source: 'https://www.npmjs.com/package/p-retry',
    behaviour: 'on the same scenario toolspan is never worse than p-retry',
  },
} as const satisfies Record<string, Requirement>;
