// Attributes as a table: names that the conventions describe are links, values are text whatever they hold.
import type { JSX } from 'preact';
import type { Attributes, Value } from '../../api/shapes.ts';
import { conventionOf } from '../conventions.ts';
import { inline } from '../format.ts';
import { Copy } from './pieces.tsx';

const LONG = 120;

/** A table of attributes, sorted by name. */
export function AttributeTable({
  attributes,
  label,
}: {
  readonly attributes: Attributes;
  readonly label: string;
}): JSX.Element | null {
  const entries = Object.entries(attributes).toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length === 0) return null;
  return (
    <table class="attributes">
      <caption class="unseen">{label}</caption>
      <thead class="unseen">
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Value</th>
        </tr>
      </thead>
      <tbody>
        {entries.map(([key, value]) => (
          <tr key={key}>
            <th scope="row">
              <Name name={key} />
            </th>
            <td>
              <ValueText value={value} />
              <Copy text={() => inline(value)} label={`Copy the value of ${key}`} class="copy-value" sign>
                ⧉
              </Copy>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The name of an attribute, with a link to its description where there is one. */
function Name({ name }: { readonly name: string }): JSX.Element {
  const page = conventionOf(name);
  if (page === undefined) return <>{name}</>;
  return (
    <a href={page} target="_blank" rel="noreferrer noopener" title={`${name} in the semantic conventions`}>
      {name}
    </a>
  );
}

/** A value: numbers and truth values by their colour, web addresses as links, everything else as text. */
export function ValueText({ value }: { readonly value: Value }): JSX.Element {
  if (typeof value === 'string') {
    if (/^https?:\/\/[^\s"'<>]+$/.test(value)) {
      return (
        <a href={value} target="_blank" rel="noreferrer noopener nofollow">
          {value}
        </a>
      );
    }
    return value.includes('\n') || value.length > LONG ? <pre>{value}</pre> : <span class="text">{value}</span>;
  }
  if (typeof value === 'object' && value !== null) return <pre>{JSON.stringify(value, undefined, 2)}</pre>;
  return <span class="literal">{String(value)}</span>;
}
