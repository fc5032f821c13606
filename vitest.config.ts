import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/kit/global-setup.ts'],
    // Every file has its own database and servers; a wait has its own, shorter deadline.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
  },
});
