import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startProcess } from '@ballast/testing'
import { expect, onTestFinished, test } from 'vitest'

const source = (name: string): string => JSON.stringify(fileURLToPath(new URL(name, import.meta.url)))
const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url))

/** Whether the suite of this test file counts as passed; undefined when it is not counted. */
async function counted(suites: string): Promise<boolean | undefined> {
  // In here, where vitest is found, and with no server: nothing of what is tested asks it anything.
  const folder = await mkdtemp(fileURLToPath(new URL('../.counted-', import.meta.url)))
  const name = basename(folder).slice(1)
  const results = fileURLToPath(new URL(`../../../.test-results/${name}.backends`, import.meta.url))
  onTestFinished(async () => {
    for (const path of [folder, results]) await rm(path, { recursive: true, force: true })
  })
  await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module', nx: { name } }))
  await writeFile(join(folder, 'vitest.config.ts'), 'export default {}')
  await writeFile(
    join(folder, 'some.test.ts'),
    `import { beforeAll, describe, expect, test } from 'vitest'
    import { describeOnBackend } from ${source('describe-on-backend.ts')}
    const passes = () => test('passes', () => {})
    const fails = () => test('fails', () => expect.fail())
    ${suites}`,
  )
  await using run = startProcess({
    args: [vitest, 'run', '--root', folder],
    env: { REDIS_URL: 'redis://127.0.0.1:1' },
  })
  await run.exit
  const report = join(results, 'some-redis.json')
  return existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')).passed : undefined
}

test.each([
  ['passes', `await describeOnBackend('redis', passes)`, true],
  ['has a test that fails', `await describeOnBackend('redis', () => { passes(); describe('x', fails) })`, false],
  [
    'has a hook that fails',
    `await describeOnBackend('redis', () => { beforeAll(() => expect.fail()); passes() })`,
    false,
  ],
  [
    'fails, and a later one passes',
    `for (const suite of [fails, passes]) await describeOnBackend('redis', suite)`,
    false,
  ],
])('a suite that %s', async (_, suites, expected) => {
  await expect(counted(suites)).resolves.toBe(expected)
})
