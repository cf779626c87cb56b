// `npm run test:stack`: tests against the real collector, Jaeger and Prometheus, which are built or pulled first.
import { defineConfig } from 'vitest/config';
import { withLoki } from './programs.ts';

export default defineConfig({
  root: new URL('../..', import.meta.url).pathname,
  test: {
    include: ['test/stack/*.test.ts'],
    exclude: withLoki ? [] : ['test/stack/logs.test.ts'],
    globalSetup: ['test/stack/install.ts'],
    setupFiles: ['test/harness/setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 240_000,
    hookTimeout: 120_000,
    env: { NO_COLOR: '1' },
  },
});
