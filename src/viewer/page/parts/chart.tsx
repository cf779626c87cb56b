// Lines over time, by uPlot: colours follow the theme, the size follows the page.
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { colour, colours } from '../theme.ts';
import { useObservable } from '../observable.ts';

export interface Line {
  readonly name: string;
  /** A colour of the style sheet. */
  readonly colour: string;
  readonly values: readonly (number | null)[];
  readonly bars?: boolean;
  /** What is said of it; the latest value where it is left out. */
  readonly now?: string;
}

interface ChartProps {
  readonly label: string;
  readonly timesMs: readonly number[];
  readonly lines: readonly Line[];
  readonly format: (value: number) => string;
  readonly height?: number;
  readonly logarithmic?: boolean;
}

/** A chart; below it the names of its lines with their latest value, or that under the pointer. */
export function Chart({ label, timesMs, lines, format, height = 150, logarithmic = false }: ChartProps): JSX.Element {
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | undefined>(undefined);
  const tick = useObservable(colours);
  const data: uPlot.AlignedData = [timesMs.map((ms) => ms / 1_000), ...lines.map(({ values }) => [...values])];
  const shape = `${lines.map(({ name, colour: of }) => `${name} ${of}`).join()} ${tick} ${logarithmic} ${height}`;
  const formatter = useRef(format);
  formatter.current = format;
  useEffect(() => {
    const element = host.current;
    if (element === null) return undefined;
    const plot = new uPlot(
      optionsOf(lines, height, logarithmic, (value) => formatter.current(value)),
      data,
      element,
    );
    plot.setSize({ width: element.clientWidth, height });
    chart.current = plot;
    const resized = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }));
    resized.observe(element);
    return () => {
      resized.disconnect();
      plot.destroy();
      chart.current = undefined;
    };
  }, [shape]);
  useEffect(() => chart.current?.setData(data), [timesMs, lines]);
  return (
    <figure class="chart" role="group" aria-label={label}>
      <div ref={host} class="plot" role="img" aria-label={summaryOf(label, lines, format)} />
      <figcaption>
        {lines.map((line) => (
          <span key={line.name}>
            <i class={`swatch ${line.colour}`} aria-hidden="true" /> {line.name} <b>{latest(line, format)}</b>
          </span>
        ))}
      </figcaption>
    </figure>
  );
}

function optionsOf(
  lines: readonly Line[],
  height: number,
  logarithmic: boolean,
  format: (value: number) => string,
): uPlot.Options {
  const [muted, grid] = [colour('muted'), colour('line')];
  const font = '11px system-ui, sans-serif';
  const axis = { stroke: muted, font, grid: { stroke: grid, width: 1 }, ticks: { show: false } };
  return {
    width: 100,
    height,
    legend: { show: false },
    padding: [8, 8, 0, 0],
    cursor: { points: { size: 6 }, drag: { x: false, y: false } },
    scales: {
      x: { time: true },
      y: logarithmic ? { distr: 3, log: 10 } : { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] },
    },
    axes: [
      { ...axis, space: 70, size: 24, values: (_, ticks) => ticks.map(timeOf) },
      { ...axis, size: 58, space: 28, values: (_, ticks) => ticks.map((tick) => (tick === null ? '' : format(tick))) },
    ],
    series: [
      {},
      ...lines.map((line): uPlot.Series => {
        const stroke = colour(line.colour);
        const bars = uPlot.paths.bars?.({ size: [0.8, 40] });
        return {
          label: line.name,
          stroke,
          width: line.bars === true ? 0 : 1.5,
          points: { show: line.bars !== true && line.values.filter((value) => value !== null).length < 3, size: 5 },
          spanGaps: false,
          ...(line.bars === true ? { fill: stroke } : {}),
          ...(line.bars === true && bars !== undefined ? { paths: bars } : {}),
        };
      }),
    ],
  };
}

function timeOf(seconds: number): string {
  const date = new Date(seconds * 1_000);
  const two = (value: number) => String(value).padStart(2, '0');
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`;
  return date.getSeconds() === 0 ? time : `${time}:${two(date.getSeconds())}`;
}

function latest({ values, now }: Line, format: (value: number) => string): string {
  if (now !== undefined) return now;
  const value = values.findLast((entry) => entry !== null);
  return value === undefined || value === null ? '–' : format(value);
}

function summaryOf(label: string, lines: readonly Line[], format: (value: number) => string): string {
  return `${label}; latest: ${lines.map((line) => `${line.name} ${latest(line, format)}`).join(', ')}`;
}
