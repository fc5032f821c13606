import { availableParallelism } from 'node:os';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: {
    // Our files would get graphql's ESM build and its CommonJS users the other one: two modules that do not know each other's types.
    alias: [{ find: /^graphql$/, replacement: fileURLToPath(new URL('node_modules/graphql/index.js', import.meta.url)) }],
  },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/kit/global-setup.ts'],
    // Every file has its own database and servers; a wait has its own, shorter deadline.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Real servers, processes and browsers on a machine that others share: what fails there is tried once more, and the report says so.
    retry: process.env['CI'] === 'true' ? 1 : 0,
    pool: 'forks',
    // Most of the time the tests wait, for servers to start, for clocks and for browsers: one file at a time would leave two cores idle.
    maxWorkers: Math.max(2, availableParallelism() - 1),
  },
});
