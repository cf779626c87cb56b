// Pieces that every view is made of.
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

/** A part of a view with a heading. */
export function Panel(props: {
  readonly title: string;
  readonly aside?: ComponentChildren;
  readonly class?: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <section class={`panel ${props.class ?? ''}`} aria-label={props.title}>
      <header>
        <h2>{props.title}</h2>
        {props.aside}
      </header>
      {props.children}
    </section>
  );
}

/** A button that copies text, and says that it did. */
export function Copy(props: {
  readonly text: () => string | Promise<string>;
  readonly children: ComponentChildren;
  /** What it copies; the name of the button where that shows a sign only. */
  readonly label?: string;
  readonly sign?: boolean;
  readonly class?: string;
}): JSX.Element {
  const [said, setSaid] = useState<'' | 'Copied' | 'Not copied'>('');
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(await props.text());
      setSaid('Copied');
    } catch {
      setSaid('Not copied');
    }
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setSaid(''), 1_500);
  };
  return (
    <button
      type="button"
      class={props.class ?? 'small'}
      onClick={() => void copy()}
      aria-label={props.sign === true ? props.label : undefined}
      title={props.label}
    >
      {said === '' ? props.children : said}
      <span class="unseen" role="status">
        {said}
      </span>
    </button>
  );
}

/** What stands where there is nothing, and why. */
export function Empty({
  title,
  children,
}: {
  readonly title: string;
  readonly children?: ComponentChildren;
}): JSX.Element {
  return (
    <div class="empty">
      <p class="lead">{title}</p>
      {children}
    </div>
  );
}

/** What could not be read. */
export function Problem({ message }: { readonly message: string | undefined }): JSX.Element | null {
  return message === undefined ? null : (
    <p class="problem" role="alert">
      {message}
    </p>
  );
}

/** The variables that send an application's telemetry here. */
export function SendHere({ endpoint }: { readonly endpoint: string }): JSX.Element {
  const text = `OTEL_EXPORTER_OTLP_ENDPOINT=${endpoint}\nOTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf`;
  return (
    <div class="env">
      <pre>{text}</pre>
      <Copy text={() => text} label="Copy the variables">
        Copy
      </Copy>
    </div>
  );
}

/** One figure with its name. */
export function Figure(props: {
  readonly name: string;
  readonly value: ComponentChildren;
  readonly note?: ComponentChildren;
  readonly tone?: string;
}): JSX.Element {
  return (
    <div class={`figure ${props.tone ?? ''}`}>
      <dt>{props.name}</dt>
      <dd>
        {props.value}
        {props.note === undefined ? null : <small>{props.note}</small>}
      </dd>
    </div>
  );
}
