// Durations over time as a grid: the darker a cell, the more calls; red where calls failed.
import type { JSX } from 'preact';
import type { Heatmap as Data } from '../../api/shapes.ts';
import { clock, milliseconds } from '../format.ts';

const STEPS = 5;

/** A heatmap with the rows that have something in them, and one more on each side. */
export function Heatmap({
  data,
  onChoose,
}: {
  readonly data: Data;
  /** A cell was chosen: its durations in ms and its times. */
  readonly onChoose: (minMs: number, maxMs: number) => void;
}): JSX.Element {
  const { boundsMs, counts, errors, timesMs } = data;
  const used = counts.flatMap((row, index) => (row.some((count) => count > 0) ? [index] : []));
  const low = Math.max(0, (used[0] ?? 0) - 1);
  const high = Math.min(boundsMs.length - 1, (used.at(-1) ?? 0) + 1);
  const rows = Array.from({ length: high - low + 1 }, (_, index) => high - index);
  const max = Math.max(1, ...counts.flat());
  const total = counts.flat().reduce((sum, count) => sum + count, 0);
  const label = `Durations over time: ${total} calls between ${milliseconds(boundsMs[low])} and ${milliseconds(boundsMs[high])}`;
  return (
    <div class="heatmap">
      <div class="bounds" aria-hidden="true">
        {rows.map((row, index) => (
          <span key={row}>{index % 2 === 0 ? milliseconds(boundsMs[row]) : ''}</span>
        ))}
      </div>
      <svg viewBox={`0 0 ${timesMs.length} ${rows.length}`} preserveAspectRatio="none" role="img" aria-label={label}>
        {rows.map((row, y) =>
          (counts[row] ?? []).map((count, x) => {
            if (count === 0) return null;
            const failed = (errors[row]?.[x] ?? 0) > 0;
            const step = Math.max(1, Math.ceil((Math.log1p(count) / Math.log1p(max)) * STEPS));
            const [from, to] = [boundsMs[row - 1] ?? 0, boundsMs[row] ?? 0];
            return (
              <rect
                key={`${row} ${x}`}
                class={`heat ${failed ? 'bad' : ''} step-${step}`}
                x={x + 0.05}
                y={y + 0.06}
                width="0.9"
                height="0.88"
                onClick={() => onChoose(from, to)}
              >
                <title>{`${count} calls of ${milliseconds(from)} to ${milliseconds(to)} from ${clock(timesMs[x] ?? 0)}${failed ? `, ${errors[row]?.[x]} failed` : ''}`}</title>
              </rect>
            );
          }),
        )}
      </svg>
    </div>
  );
}
