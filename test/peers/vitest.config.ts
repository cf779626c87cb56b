// `npm run test:peers`: tests against programs of other ecosystems, which are installed and built first.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: new URL('../..', import.meta.url).pathname,
  test: {
    include: ['test/peers/**/*.test.ts'],
    globalSetup: ['test/peers/install.ts'],
    setupFiles: ['test/harness/setup.ts'],
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    env: { NO_COLOR: '1' },
  },
});
