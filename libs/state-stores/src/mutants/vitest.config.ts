import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { chosenChange } from './mutant.ts'

const { file, line, instead } = chosenChange()
const src = fileURLToPath(new URL('..', import.meta.url))

/** Runs tests on a changed line, without changing the file. */
export default defineConfig({
  root: `${src}..`,
  plugins: [
    {
      name: 'mutant',
      enforce: 'pre',
      transform: (code, id) => (id === `${src}${file}` ? code.replace(line, instead) : undefined),
    },
  ],
  // The cache does not know of the changed line.
  test: { fsModuleCache: false, bail: 1, testTimeout: 60_000, hookTimeout: 60_000 },
})
