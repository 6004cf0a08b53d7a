import { fileURLToPath } from 'node:url'
import { defineConfig, type ViteUserConfig } from 'vitest/config'

const setup = fileURLToPath(new URL('libs/testing/src/no-console.ts', import.meta.url))

/** The one vitest configuration; `overrides` is for a project whose tests start servers and need more time. */
export function project(name: string, overrides: NonNullable<ViteUserConfig['test']> = {}): ViteUserConfig {
  return defineConfig({
    test: {
      name,
      include: ['**/*.test.ts'],
      exclude: ['**/node_modules/**', '**/dist/**'],
      setupFiles: [setup],
      restoreMocks: true,
      testTimeout: 20_000,
      hookTimeout: 60_000,
      // Real processes and real fsyncs on two cores: more workers only add noise.
      maxWorkers: 2,
      ...overrides,
    },
  })
}
