// The whole of a large trace in a small picture, in which a part is chosen by dragging.
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Scale } from './bar.tsx';
import { colour, colours } from '../theme.ts';
import { useObservable } from '../observable.ts';
import type { TreeRow } from '../trace-model.ts';

const HEIGHT = 48;
// a shorter drag is a click
const LEAST = 0.005;

export function Minimap(props: {
  readonly rows: readonly TreeRow[];
  readonly durationNs: number;
  readonly zoom: Scale | undefined;
  readonly onZoom: (zoom: Scale | undefined) => void;
}): JSX.Element {
  const { rows, durationNs, zoom, onZoom } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const [drag, setDrag] = useState<readonly [from: number, to: number]>();
  const tick = useObservable(colours);
  useEffect(() => {
    const element = canvas.current;
    if (element === null) return undefined;
    const draw = () => drawRows(element, rows, durationNs);
    draw();
    const resized = new ResizeObserver(draw);
    resized.observe(element);
    return () => resized.disconnect();
  }, [rows, durationNs, tick]);
  const at = (event: PointerEvent) => {
    const box = canvas.current?.getBoundingClientRect();
    return box === undefined ? 0 : Math.max(0, Math.min(1, (event.clientX - box.left) / box.width));
  };
  const done = () => {
    if (drag === undefined) return;
    const [from, to] = [Math.min(...drag), Math.max(...drag)];
    setDrag(undefined);
    onZoom(to - from < LEAST ? undefined : { fromNs: from * durationNs, toNs: to * durationNs });
  };
  const shown = drag ?? (zoom === undefined ? undefined : [zoom.fromNs / durationNs, zoom.toNs / durationNs]);
  const [from, to] = shown === undefined ? [0, 1] : [Math.min(...shown), Math.max(...shown)];
  return (
    <div
      class="minimap"
      title="Drag to look at a part of the time"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        setDrag([at(event), at(event)]);
      }}
      onPointerMove={(event) => drag !== undefined && setDrag([drag[0], at(event)])}
      onPointerUp={done}
      onPointerCancel={() => setDrag(undefined)}
    >
      <canvas ref={canvas} aria-hidden="true" />
      <span class="shade" style={{ left: '0', width: `${from * 100}%` }} />
      <span class="shade" style={{ left: `${to * 100}%`, right: '0' }} />
    </div>
  );
}

function drawRows(canvas: HTMLCanvasElement, rows: readonly TreeRow[], durationNs: number): void {
  const ratio = window.devicePixelRatio;
  const width = canvas.clientWidth;
  canvas.width = width * ratio;
  canvas.height = HEIGHT * ratio;
  const context = canvas.getContext('2d');
  if (context === null) return;
  context.scale(ratio, ratio);
  const [plain, bad] = [Array.from({ length: 6 }, (_, index) => colour(`hue-${index + 1}`)), colour('bad')];
  const step = HEIGHT / rows.length;
  rows.forEach(({ span }, index) => {
    context.fillStyle = span.failed ? bad : (plain[span.resource % 6] ?? bad);
    const x = (span.offsetNs / durationNs) * width;
    context.fillRect(x, index * step, Math.max(1, (span.durationNs / durationNs) * width), Math.max(1, step * 0.75));
  });
}
