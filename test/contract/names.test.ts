// The names of telemetry: those of the conventions as the conventions have them, our own as the documents have them.
import { readFileSync } from 'node:fs';
import * as conventions from '@opentelemetry/semantic-conventions/incubating';
import { describe, expect } from 'vitest';
import * as ours from '../../src/telemetry/names.ts';
import * as copied from '../../src/telemetry/semconv.ts';
import { verifies } from '../harness/verifies.ts';

describe('names', () => {
  verifies('names.conventions', () => {
    const published = new Map<string, unknown>(Object.entries(conventions));
    const names = Object.entries(copied).filter(([key]) => /^(ATTR|METRIC|EVENT)_/.test(key));
    expect(names.length).toBeGreaterThan(15);
    for (const [key, value] of names) expect([key, value]).toEqual([key, published.get(key)]);
    expect(copied.GEN_AI_OPERATION_EXECUTE_TOOL).toBe(conventions.GEN_AI_OPERATION_NAME_VALUE_EXECUTE_TOOL);
  });

  verifies('names.documented', () => {
    const text = readFileSync(new URL('../../docs/telemetry.md', import.meta.url), 'utf8');
    const table = text.slice(
      text.indexOf('## Names of our own'),
      text.indexOf('##', text.indexOf('## Names of our own') + 3),
    );
    const documented = [...table.matchAll(/^\|[^|]*\| `(toolspan\.[a-z_.]+)`\s*\|/gm)].map(([, name]) => name);
    const known = Object.values(ours).filter((value) => typeof value === 'string' && value.startsWith('toolspan.'));
    expect(documented.toSorted()).toEqual(known.toSorted());
  });
});
