// Numbers, durations and times as people read them. Pure.

/** A duration of ns with three digits and a unit. */
export function duration(ns: number): string {
  if (ns < 1_000) return `${Math.round(ns)} ns`;
  if (ns < 1e6) return `${digits(ns / 1e3)} µs`;
  if (ns < 1e9) return `${digits(ns / 1e6)} ms`;
  const seconds = ns / 1e9;
  if (seconds < 60) return `${digits(seconds)} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} m ${Math.round(seconds % 60)} s`;
  const minutes = Math.round((seconds % 3_600) / 60);
  return `${Math.floor(seconds / 3_600)} h${minutes === 0 ? '' : ` ${minutes} m`}`;
}

/** A duration of ms with three digits and a unit. */
export function milliseconds(ms: number | null | undefined): string {
  return ms === null || ms === undefined ? '–' : duration(ms * 1e6);
}

/** A number, shortened from a thousand on. */
export function count(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 1e9) return `${digits(value / 1e9)} G`;
  if (size >= 1e6) return `${digits(value / 1e6)} M`;
  if (size >= 1e4) return `${digits(value / 1e3)} k`;
  if (Number.isInteger(value)) return String(value);
  return size < 0.001 ? value.toExponential(1) : digits(value);
}

/** A share of 0 to 1 in per cent. */
export function percent(share: number): string {
  if (!Number.isFinite(share)) return '–';
  const value = share * 100;
  if (value === 0) return '0 %';
  return value < 10 ? `${value.toFixed(1)} %` : `${value.toFixed(0)} %`;
}

/** Bytes in binary units. */
export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let [size, unit] = [value, 0];
  while (size >= 1_024 && unit < units.length - 1) [size, unit] = [size / 1_024, unit + 1];
  return `${digits(size)} ${units[unit] ?? ''}`;
}

/** The time of day, with ms. */
export function clock(ms: number): string {
  const date = new Date(ms);
  const two = (value: number) => String(value).padStart(2, '0');
  const millis = String(date.getMilliseconds()).padStart(3, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${millis}`;
}

/** Day and time of day, as far as they are needed to tell when it was. */
export function moment(ms: number, nowMs: number): string {
  const [date, now] = [new Date(ms), new Date(nowMs)];
  const time = clock(ms);
  if (date.toDateString() === now.toDateString()) return time;
  const day = `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, '0')}-${String(date.getDate()).padStart(2, '0')}`;
  return `${day} ${time}`;
}

/** How long ago. */
export function ago(ms: number, nowMs: number): string {
  const seconds = Math.max(0, (nowMs - ms) / 1_000);
  if (seconds < 2) return 'just now';
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

/** Any value as one line of text. */
export function inline(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

function digits(value: number): string {
  const size = Math.abs(value);
  return size >= 100 ? value.toFixed(0) : size >= 10 ? value.toFixed(1) : value.toFixed(2);
}
