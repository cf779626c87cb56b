// Each program's own check of its configuration.
import { globSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { verifies } from '../harness/verifies.ts';
import { runTool } from './programs.ts';
import { ROOT } from './root.ts';

const accepts = (name: Parameters<typeof runTool>[0], args: readonly string[]) => {
  const { status, output } = runTool(name, args);
  expect(status, `${name} ${args.join(' ')}\n${output}`).toBe(0);
  return output;
};
const config = (...files: readonly string[]) => files.map((file) => `--config=${ROOT}${file}`);

describe('configurations', () => {
  verifies(
    'stack.configs',
    () => {
      const base = 'otel-collector/config.yaml';
      const [sampling, loki] = ['otel-collector/sampling.yaml', 'otel-collector/loki.yaml'];
      for (const overlays of [[], [sampling], [loki], [loki, sampling]]) {
        accepts('otelcol', ['validate', ...config(base, ...overlays)]);
      }
      const broken = runTool('otelcol', ['validate', ...config(sampling)]);
      expect(broken.status, 'an overlay alone is no configuration').not.toBe(0);
    },
    'collector',
  );

  verifies('stack.configs', () => void accepts('jaeger', ['validate', ...config('jaeger/config.yaml')]), 'Jaeger');

  verifies(
    'stack.configs',
    () => {
      const rules = globSync('prometheus/rules/*.yml', { cwd: ROOT }).map((file) => ROOT + file);
      accepts('promtool', ['check', 'config', `${ROOT}prometheus/prometheus.yml`]);
      accepts('promtool', ['check', 'rules', '--lint=all', '--lint-fatal', ...rules]);
    },
    'Prometheus',
  );

  verifies('stack.rules', () => {
    const tests = globSync('prometheus/tests/*.yml', { cwd: ROOT }).map((file) => ROOT + file);
    expect(tests.length).toBeGreaterThan(0);
    expect(accepts('promtool', ['test', 'rules', ...tests])).toContain('SUCCESS');
  });
});
