// Which headers go on: all but those of one hop, in their order, spelling and number. Pure.

const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Raw headers, as Node gives and takes them: name, value, name, value. */
export type RawHeaders = readonly string[];

/** A header that is set instead of what was there; undefined where it is taken out. */
export type Replaced = Readonly<Record<string, string | undefined>>;

/**
 * The headers that go on.
 *
 * @param replaced by their names in small letters; those that were not there are added.
 */
export function headersToPass(raw: RawHeaders, replaced: Replaced = {}): string[] {
  const named = nominated(raw);
  const passed: string[] = [];
  const done = new Set<string>();
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] as string;
    const key = name.toLowerCase();
    if (HOP_BY_HOP.has(key) || named.has(key)) continue;
    if (!Object.hasOwn(replaced, key)) {
      passed.push(name, raw[index + 1] as string);
    } else if (!done.has(key)) {
      done.add(key);
      const value = replaced[key];
      if (value !== undefined) passed.push(name, value);
    }
  }
  for (const [key, value] of Object.entries(replaced))
    if (value !== undefined && !done.has(key)) passed.push(key, value);
  return passed;
}

// `Connection` names further headers that are meant for this hop only.
function nominated(raw: RawHeaders): ReadonlySet<string> {
  const names = new Set<string>();
  for (let index = 0; index + 1 < raw.length; index += 2) {
    if ((raw[index] as string).toLowerCase() !== 'connection') continue;
    for (const name of (raw[index + 1] as string).split(',')) names.add(name.trim().toLowerCase());
  }
  return names;
}
