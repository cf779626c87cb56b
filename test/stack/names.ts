// Names of metrics: what docs/telemetry.md lists, what Prometheus makes of them, and which of them an expression uses.
import { readFileSync } from 'node:fs';
import { ROOT } from './root.ts';

export type Kind = 'histogram' | 'counter' | 'up-down counter' | 'gauge';

export interface Metric {
  readonly name: string;
  readonly kind: Kind;
  readonly unit: string;
}

const UNITS: Readonly<Record<string, string>> = { s: 'seconds', ms: 'milliseconds', By: 'bytes' };

/** Of the host and the runtime (docs/metrics.md): what the dashboards use of them. */
export const RUNTIME: readonly Metric[] = [
  { name: 'system.filesystem.utilization', kind: 'gauge', unit: '1' },
  { name: 'system.filesystem.usage', kind: 'up-down counter', unit: 'By' },
  { name: 'system.cpu.utilization', kind: 'gauge', unit: '' },
  { name: 'system.memory.utilization', kind: 'gauge', unit: '' },
  { name: 'process.cpu.utilization', kind: 'gauge', unit: '' },
  { name: 'process.memory.usage', kind: 'gauge', unit: '' },
  { name: 'nodejs.eventloop.utilization', kind: 'gauge', unit: '1' },
  { name: 'nodejs.eventloop.delay.p50', kind: 'gauge', unit: 's' },
  { name: 'nodejs.eventloop.delay.p99', kind: 'gauge', unit: 's' },
  { name: 'v8js.gc.duration', kind: 'histogram', unit: 's' },
  { name: 'v8js.memory.heap.used', kind: 'gauge', unit: 'By' },
];

const text = readFileSync(`${ROOT}docs/telemetry.md`, 'utf8');

/** The metrics that docs/telemetry.md lists. */
export function documentedMetrics(): Metric[] {
  const rows = text.split('\n').filter((line) => line.startsWith('|'));
  return rows.flatMap((line) => {
    const cells = line.split('|').map((cell) => cell.trim());
    // `name`, `name` | kind, unit    or    kind, unit | `name`
    const [instrument = '', names = ''] = (cells[1] ?? '').startsWith('`')
      ? [cells[2], cells[1]]
      : [cells[1], cells[2]];
    const [, kind, unit = ''] =
      /^(?:observable )?(histogram|counter|up-down counter|gauge)(?:, (\S+))?$/.exec(instrument) ?? [];
    if (kind === undefined) return [];
    return Array.from(names.matchAll(/`([a-z0-9_.]+)`/g), ([, name = '']) => ({ name, kind: kind as Kind, unit }));
  });
}

/** Every name that stands in docs/telemetry.md in backticks. */
export function documentedNames(): Set<string> {
  return new Set(Array.from(text.matchAll(/`([a-z0-9_]+(?:\.[a-z0-9_]+)+)`/g), ([, name = '']) => name));
}

/** The name under which Prometheus has a metric that is pushed by OTLP; of a histogram its count. */
export function prometheusName({ name, kind, unit }: Metric): string {
  const base = name.replaceAll('.', '_');
  const suffix = UNITS[unit] === undefined ? '' : `_${UNITS[unit]}`;
  if (kind === 'counter') return `${base}${suffix}_total`;
  if (kind === 'histogram') return `${base}${suffix}_count`;
  return kind === 'gauge' && unit === '1' ? `${base}_ratio` : `${base}${suffix}`;
}

/** What an expression asks of Prometheus. */
export interface Asked {
  readonly metrics: readonly string[];
  readonly labels: readonly string[];
}

const KEYWORDS = new Set([
  'and',
  'or',
  'unless',
  'by',
  'without',
  'on',
  'ignoring',
  'group_left',
  'group_right',
  'offset',
  'bool',
]);

/** The metrics and labels that a PromQL expression uses. */
export function askedBy(expr: string): Asked {
  const labels = new Set<string>();
  const bare = expr
    .replaceAll(/"(?:[^"\\]|\\.)*"/g, '""')
    .replaceAll(/\{([^}]*)\}/g, (_, matchers: string) => {
      for (const [, label = ''] of matchers.matchAll(/([a-z_]+)\s*(?:=~|!~|!=|=)/gi)) labels.add(label);
      return ' ';
    })
    .replaceAll(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g, (_, list: string) => {
      for (const label of list.split(',')) if (label.trim() !== '') labels.add(label.trim());
      return ' ';
    })
    .replaceAll(/\[[^\]]*\]/g, ' ')
    .replaceAll(/\boffset\s+\w+/g, ' ');
  const metrics = Array.from(bare.matchAll(/(?<![\w:.$])([a-z_:][\w:]*)(?!\s*\(|[\w:])/gi), ([, name = '']) => name);
  return {
    metrics: metrics.filter((name) => !KEYWORDS.has(name)),
    labels: [...labels].filter((name) => name !== '__name__'),
  };
}
