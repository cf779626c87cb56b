// Puts the trace context into `params._meta` of a request (SEP-414), as a change of bytes. Pure.
import { isObjectAt, objectAt, type Edit } from './json-bytes.ts';

/**
 * What has to change so that the request at this byte carries these keys in `params._meta`; nothing where it has params that
 * cannot hold any. Other keys of `_meta`, and all else, stay.
 */
export function traceMetaEdits(bytes: Buffer, at: number, added: Readonly<Record<string, string>>): Edit[] {
  const message = objectAt(bytes, at);
  const params = message.last('params');
  if (params === undefined) {
    const end = message.to - 1;
    return [{ from: end, to: end, text: `,"params":{"_meta":${JSON.stringify(added)}}` }];
  }
  if (!isObjectAt(bytes, params.from)) return [];
  const within = objectAt(bytes, params.from);
  const meta = within.last('_meta');
  if (meta === undefined) {
    const text = `"_meta":${JSON.stringify(added)}`;
    return [{ from: params.from + 1, to: params.from + 1, text: within.isEmpty ? text : `${text},` }];
  }
  if (!isObjectAt(bytes, meta.from)) return [];
  return metaEdits(bytes, meta.from, added);
}

function metaEdits(bytes: Buffer, at: number, added: Readonly<Record<string, string>>): Edit[] {
  const meta = objectAt(bytes, at);
  const edits: Edit[] = [];
  const missing: string[] = [];
  for (const [key, value] of Object.entries(added)) {
    const there = meta.all(key);
    // all of them: which one counts is for its reader to say
    for (const { from, to } of there) edits.push({ from, to, text: JSON.stringify(value) });
    if (there.length === 0) missing.push(`${JSON.stringify(key)}:${JSON.stringify(value)}`);
  }
  if (missing.length > 0) {
    const text = missing.join(',');
    edits.push({ from: at + 1, to: at + 1, text: meta.isEmpty ? text : `${text},` });
  }
  return edits;
}
