import { fileURLToPath } from 'node:url'
import { defineConfig, type ViteUserConfig } from 'vitest/config'

const setup = fileURLToPath(new URL('libs/testing/src/no-console.ts', import.meta.url))
const results = fileURLToPath(new URL('.test-results/', import.meta.url))

/** The one vitest configuration; `overrides` is for a project whose tests start servers and need more time. */
export function project(name: string, overrides: NonNullable<ViteUserConfig['test']> = {}): ViteUserConfig {
  return defineConfig({
    test: {
      name,
      include: ['**/*.test.ts'],
      exclude: ['**/node_modules/**', '**/dist/**'],
      setupFiles: [setup],
      // The counts that `npm test` and .ci/run add up; cached with the run, so that a cache hit still counts.
      reporters: ['default', ['json', { outputFile: `${results}${name}.json` }]],
      restoreMocks: true,
      // These bound a hang, not a speed: a busy machine of two cores must not fail a test.
      testTimeout: 90_000,
      hookTimeout: 180_000,
      // On two cores: much of the time goes to waiting for processes and servers.
      maxWorkers: 3,
      ...overrides,
    },
  })
}
