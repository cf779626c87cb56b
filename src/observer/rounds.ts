// A call that needs more input is several requests (2026-07-28): each is joined with the one that asked for the input, by a link.
// Rounds may come over different connections, so they are remembered for the process.
import { trace, type SpanContext } from '@opentelemetry/api';
import { isRecord, type MessageParams } from '../protocol/message.ts';
import type { Direction } from '../protocol/operation.ts';
import { shared } from '../state/shared.ts';
import type { LiveOperation } from './live-operation.ts';

interface Round {
  readonly direction: Direction;
  readonly method: string;
  readonly target: string | undefined;
  readonly state: string | undefined;
  /** What was asked for, as one text. */
  readonly keys: string;
  readonly span: SpanContext;
}

const MAX_ROUNDS = 1_000;
const rounds = shared('input-rounds', () => new Set<Round>());

/** Remembers a request that was answered by asking for input. */
export function rememberRound({ direction, method, target, span }: LiveOperation, result: unknown): void {
  if (span === undefined || !isRecord(result) || result['resultType'] !== 'input_required') return;
  const state = result['requestState'];
  rounds.add({
    direction,
    method,
    target,
    state: typeof state === 'string' ? state : undefined,
    keys: keysOf(result['inputRequests']),
    span: span.span.spanContext(),
  });
  const [oldest] = rounds;
  if (rounds.size > MAX_ROUNDS && oldest !== undefined) rounds.delete(oldest);
}

/** Links a request that brings the input to the one that asked for it. Where two may have, it is linked to none. */
export function joinRound({ direction, method, target, span }: LiveOperation, params: MessageParams | undefined): void {
  if (rounds.size === 0 || span === undefined || !isRecord(params)) return;
  const { requestState: state, inputResponses } = params;
  if (state === undefined && inputResponses === undefined) return;
  const keys = keysOf(inputResponses);
  const fitting = [...rounds].filter(
    (round) =>
      round.direction === direction &&
      round.method === method &&
      round.target === target &&
      (round.state === undefined ? state === undefined && round.keys === keys : round.state === state),
  );
  const [round] = fitting;
  // those that cannot be told apart never will be
  for (const done of fitting) rounds.delete(done);
  if (round === undefined || fitting.length > 1) return;
  if (trace.isSpanContextValid(round.span)) span.span.addLink({ context: round.span });
}

function keysOf(requests: unknown): string {
  return isRecord(requests) ? Object.keys(requests).toSorted().join('\n') : '';
}
