import { defineConfig } from 'vitest/config'

/** The full run does hundreds of times the work of the everyday one in the same tests. What takes seconds takes many more on a busy machine. */
const timeoutMs = process.env['LSMT_TEST_FULL'] ? 900_000 : 240_000

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/storage/s3/s3-server-lifetime.ts', 'test/cluster/etcd/server/etcd-server-lifetime.ts'],
    // Two cores: more forks than that only make timings noisier.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
    // What is waited for comes when it comes; how soon is never what such a test is about.
    expect: { poll: { timeout: 30_000 } },
    reporters: ['default'],
  },
})
