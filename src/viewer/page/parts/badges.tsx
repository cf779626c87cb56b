// Small signs: how a call ended, what kind of span it is, how severe a record is.
import type { JSX } from 'preact';

const OUTCOMES: Readonly<Record<string, readonly [tone: string, sign: string]>> = {
  ok: ['ok', '✓'],
  tool_error: ['bad', '✕'],
  protocol_error: ['bad', '✕'],
  input_required: ['ask', '?'],
  cancelled: ['quiet', '⊘'],
  aborted: ['bad', '⚡'],
  expired: ['bad', '⧖'],
  error: ['bad', '✕'],
};
const KINDS: readonly (readonly [sign: string, name: string])[] = [
  ['', ''],
  ['·', 'internal'],
  ['◀', 'server'],
  ['▶', 'client'],
  ['⇥', 'producer'],
  ['⇤', 'consumer'],
];

/** The kind of a span in a word; empty where it has none. */
export const kindName = (kind: number): string => KINDS[kind]?.[1] ?? '';

/** How a call ended; of a span that is no call, only whether it failed. */
export function Outcome({
  outcome,
  failed,
}: {
  readonly outcome: string;
  readonly failed: boolean;
}): JSX.Element | null {
  const name = outcome === '' ? (failed ? 'error' : '') : outcome;
  if (name === '') return null;
  const [tone, sign] = OUTCOMES[name] ?? ['quiet', '·'];
  return (
    <span class={`badge ${tone}`}>
      <span aria-hidden="true">{sign}</span> {name}
    </span>
  );
}

/** The side of a call, as a sign with its name for who cannot see it. */
export function Kind({ kind }: { readonly kind: number }): JSX.Element | null {
  const [sign = '', name = ''] = KINDS[kind] ?? [];
  if (name === '') return null;
  return (
    <span class="kind" title={`${name} span`} role="img" aria-label={name}>
      {sign}
    </span>
  );
}

/** The state of a breaker or of a server's health. */
export function State({ state }: { readonly state: string }): JSX.Element {
  return <span class={`badge ${toneOfState(state)}`}>{state === '' ? 'unknown' : state}</span>;
}

/** The colour of a state. */
export function toneOfState(state: string): string {
  if (['closed', 'healthy', 'ok', 'pass'].includes(state)) return 'ok';
  if (['half_open', 'degraded', 'warn'].includes(state)) return 'warn';
  if (['open', 'unhealthy', 'fail'].includes(state)) return 'bad';
  return 'quiet';
}

/** How severe a log record is. */
export function Severity({ severity, text }: { readonly severity: number; readonly text: string }): JSX.Element {
  const level = levelOf(severity);
  const tone = severity >= 17 ? 'bad' : severity >= 13 ? 'warn' : severity >= 9 ? 'plain' : 'quiet';
  return <span class={`severity ${tone}`}>{text === '' ? level : text.toUpperCase().slice(0, 8)}</span>;
}

/** The name of a severity number. */
export function levelOf(severity: number): string {
  if (severity === 0) return '–';
  return ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'][Math.floor((severity - 1) / 4)] ?? '–';
}

/** What failed, in a word. */
export function ErrorKind({ code, type }: { readonly code: string; readonly type: string }): JSX.Element | null {
  const text = code !== '' && type !== '' && code !== type ? `${code} · ${type}` : code || type;
  return text === '' ? null : <span class="error-kind">{text}</span>;
}
