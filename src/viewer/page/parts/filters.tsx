// Filters that live in the address.
import type { JSX, TargetedInputEvent, TargetedKeyboardEvent } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { adjust } from '../location.ts';

const TYPING_MS = 250;

/** One of several values, or any. */
export function Filter(props: {
  readonly name: string;
  readonly label: string;
  readonly params: URLSearchParams;
  readonly values: readonly string[] | undefined;
}): JSX.Element | null {
  const { name, label, params, values = [] } = props;
  const value = params.get(name) ?? '';
  if (values.length === 0 && value === '') return null;
  const all = value === '' || values.includes(value) ? values : [value, ...values];
  return (
    <select
      class={`filter ${value === '' ? '' : 'on'}`}
      aria-label={label}
      value={value}
      onChange={(event) => adjust({ [name]: event.currentTarget.value })}
    >
      <option value="">{label}</option>
      {all.map((entry) => (
        <option key={entry} value={entry}>
          {entry}
        </option>
      ))}
    </select>
  );
}

/** Attributes that are filtered by, each with a button that takes it out. */
export function Chips({ params }: { readonly params: URLSearchParams }): JSX.Element | null {
  const pairs = params.getAll('attribute');
  const session = params.get('session');
  if (pairs.length === 0 && session === null) return null;
  return (
    <span class="chips">
      {pairs.map((pair) => (
        <button
          key={pair}
          type="button"
          class="chip"
          aria-label={`Take out ${pair}`}
          onClick={() => adjust({ attribute: pairs.filter((other) => other !== pair) })}
        >
          {pair} ×
        </button>
      ))}
      {session === null ? null : (
        <button
          type="button"
          class="chip"
          aria-label="Take out the session"
          onClick={() => adjust({ session: undefined })}
        >
          session {session.slice(0, 12)} ×
        </button>
      )}
    </span>
  );
}

/** A field that searches as one types; key=value becomes a filter of its own on Enter. */
export function SearchField({ params }: { readonly params: URLSearchParams }): JSX.Element {
  const value = params.get('text') ?? '';
  const [text, setText] = useState(value);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const typed = useRef(value);
  useEffect(() => {
    // changed from elsewhere, as by going back
    if (value === typed.current) return;
    typed.current = value;
    setText(value);
  }, [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const apply = (next: string) => {
    typed.current = next;
    adjust({ text: next });
  };
  const onInput = (event: TargetedInputEvent<HTMLInputElement>) => {
    const next = event.currentTarget.value;
    setText(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => apply(next), TYPING_MS);
  };
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLInputElement>) => {
    if (event.key === 'Escape') event.currentTarget.blur();
    if (event.key !== 'Enter') return;
    clearTimeout(timer.current);
    const pair = /^\s*([\w.-]+)=(.+?)\s*$/.exec(text);
    if (pair === null) {
      apply(text);
      return;
    }
    setText('');
    typed.current = '';
    adjust({ text: undefined, attribute: [...params.getAll('attribute'), `${pair[1]}=${pair[2]}`] });
  };
  return (
    <input
      type="search"
      placeholder="Text, or key=value"
      aria-label="Text, or an attribute as key=value"
      title="/"
      value={text}
      onInput={onInput}
      onKeyDown={onKeyDown}
    />
  );
}
