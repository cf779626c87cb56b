// How the tests run: from the sources, each file in a process of its own. The policies are pure, so a thread is enough for
// theirs, and starts sooner.
import { defineConfig } from 'vitest/config';

const POLICIES = 'test/resilience/**/*.test.ts';

export default defineConfig({
  root: new URL('..', import.meta.url).pathname,
  test: {
    setupFiles: ['test/harness/setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    env: { NO_COLOR: '1', TOOLSPAN_LOG_FORMAT: 'off' },
    projects: [
      { extends: true, test: { name: 'policies', include: [POLICIES], pool: 'threads' } },
      {
        extends: true,
        test: {
          name: 'toolspan',
          include: ['test/**/*.test.ts'],
          exclude: ['test/peers/**', 'test/stack/**', 'test/compose/**', POLICIES],
          pool: 'forks',
        },
      },
    ],
  },
});
