// What the package shows to others: the names its entries export, what importing it loads, its version, its README.
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import * as root from '../../src/index.ts';
import * as node from '../../src/node/index.ts';
import * as resilience from '../../src/resilience/index.ts';
import { VERSION } from '../../src/version.ts';
import { verifies } from '../harness/verifies.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const read = (file: string) => readFileSync(`${ROOT}${file}`, 'utf8');
const manifest = JSON.parse(read('package.json')) as { version: string; exports: object };

describe('the package', () => {
  verifies('package.surface', () => {
    expect(Object.keys(manifest.exports)).toEqual(['.', './resilience', './node', './register', './package.json']);
    expect(Object.keys(root).toSorted()).toEqual([
      'ERROR_CODES',
      'ToolError',
      'classify',
      'configureHealth',
      'configureLogging',
      'consoleLogger',
      'handleError',
      'instrumentClient',
      'instrumentHandler',
      'instrumentServer',
      'isToolError',
      'logger',
      'processHealth',
      'registerHealthCheck',
      'registerObservabilityTools',
    ]);
    expect(Object.keys(resilience).toSorted()).toEqual([
      'announcedPolicies',
      'breakerSnapshots',
      'bulkhead',
      'circuitBreaker',
      'fallback',
      'httpFailure',
      'isTimeLimit',
      'onPolicy',
      'policy',
      'rateLimit',
      'refusalOf',
      'retry',
      'timeout',
      'wrap',
    ]);
    expect(Object.keys(node).toSorted()).toEqual([
      'agentMetricReader',
      'agentSpanProcessor',
      'drain',
      'pinoOptions',
      'probeHandler',
      'startTelemetry',
    ]);
  });

  verifies('package.clean-root', () => {
    for (const entry of ['index.ts', 'resilience/index.ts', 'node/index.ts']) {
      const { stdout, stderr, status } = spawnSync(
        process.execPath,
        [`${ROOT}test/fixtures/loaded-packages.ts`, `${ROOT}src/${entry}`],
        { encoding: 'utf8' },
      );
      expect(status, stderr).toBe(0);
      expect(
        (JSON.parse(stdout) as string[]).filter((name) => name !== '@opentelemetry/api'),
        entry,
      ).toEqual([]);
    }
  });

  verifies('package.version', () => {
    expect(VERSION).toBe(manifest.version);
    expect(read('CHANGELOG.md')).toContain(`## ${VERSION}`);
  });

  verifies(
    'package.readme',
    () => {
      const examples = globSync('examples/*.ts', { cwd: ROOT }).map((file) => read(file).trim());
      const samples = [...read('README.md').matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => code.trim());
      expect(samples.length).toBeGreaterThan(0);
      expect(samples.filter((sample) => !examples.some((example) => example.includes(sample)))).toEqual([]);
    },
    'each is an example',
  );
});
