// Every requirement is cited by a test, and every test of a requirement runs.
import { globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { requirements } from '../requirements.ts';

const root = new URL('../..', import.meta.url).pathname;
const tests = globSync('test/**/*.test.ts', { cwd: root }).map((file) => readFileSync(`${root}${file}`, 'utf8'));
const cited = new Set(tests.flatMap((text) => [...text.matchAll(/'([a-z0-9-]+\.[a-z0-9.-]+)'/g)].map(([, id]) => id)));

describe('requirements', () => {
  test('each has a test', () => {
    expect(Object.keys(requirements).filter((id) => !cited.has(id))).toEqual([]);
  });

  test('no test is skipped, or keeps others from running', () => {
    const silenced = tests.filter((text) => /\b(?:test|describe|it|verifies)\.(?:only|skip|todo)\b/.test(text));
    expect(silenced).toEqual([]);
  });
});
