import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sharedBackend } from '@ballast/backends'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { mutants, type Mutant } from './mutants.ts'

/** How many of the list; all of them take minutes. */
const wanted = Number(process.env['COUNTER_MUTANTS'] ?? 2)
const src = fileURLToPath(new URL('../..', import.meta.url))

test('every mutant changes a line that is there once', async () => {
  for (const { file, line } of mutants)
    expect((await readFile(join(src, file), 'utf8')).split(line), file).toHaveLength(2)
})

/** Names of the tests that failed. */
async function failures({ name, test: file }: Mutant): Promise<string[]> {
  await using folder = await temporaryFolder()
  const report = join(folder.path, 'report.json')
  const config = join(import.meta.dirname, 'vitest.config.ts')
  const args = ['run', '--config', config, `src/${file}`, '--reporter=json', `--outputFile=${report}`]
  const { promise: ended, resolve } = Promise.withResolvers<void>()
  const options = { cwd: join(src, '..'), env: { ...process.env, COUNTER_MUTANT: name }, maxBuffer: 1 << 26 }
  execFile('vitest', args, options, () => resolve())
  await ended
  const files = list(JSON.parse(await readFile(report, 'utf8')), 'testResults').flatMap((each) =>
    list(each, 'assertionResults'),
  )
  return files.filter((each) => Object(each).status === 'failed').map((each) => String(Object(each).fullName))
}

function list(of: unknown, key: string): unknown[] {
  const value: unknown = Object(of)[key]
  return Array.isArray(value) ? value : []
}

test.for(mutants.slice(0, wanted))('is caught: $name', { timeout: 300_000 }, async (mutant, { skip, annotate }) => {
  if (mutant.backend !== undefined) {
    await sharedBackend(mutant.backend).catch(() => skip(`no ${mutant.backend} can be had here`))
  }
  const failed = await failures(mutant)
  expect(failed).not.toEqual([])
  await annotate(`by "${failed[0]}"`)
})
