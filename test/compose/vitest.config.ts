// `npm run test:compose`: the compose file itself, on a Docker engine that is there, or on one that is started (root, Debian).
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: new URL('../..', import.meta.url).pathname,
  test: {
    include: ['test/compose/*.test.ts'],
    globalSetup: ['test/compose/engine.ts'],
    setupFiles: ['test/harness/setup.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 900_000,
    env: { NO_COLOR: '1' },
  },
});
