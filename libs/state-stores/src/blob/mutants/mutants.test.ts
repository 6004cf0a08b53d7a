import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { mutants, type Mutant } from './mutants.ts'

/** How many of the list; all of them take minutes. */
const wanted = Number(process.env['BLOB_MUTANTS'] ?? 1)
const src = fileURLToPath(new URL('../..', import.meta.url))

test('every mutant changes a line that is there once', async () => {
  for (const { file, line } of mutants)
    expect((await readFile(join(src, file), 'utf8')).split(line), file).toHaveLength(2)
})

/** Names of the tests that ran, by what became of them. */
async function outcomes({ name, test: file, named }: Mutant): Promise<Partial<Record<string, string[]>>> {
  await using folder = await temporaryFolder()
  const report = join(folder.path, 'report.json')
  const config = join(import.meta.dirname, 'vitest.config.ts')
  const args = ['run', '--config', config, `src/${file}`, '-t', named, '--reporter=json', `--outputFile=${report}`]
  const { promise: ended, resolve } = Promise.withResolvers<void>()
  const hook = `--import=${new URL('mutate-children.ts', import.meta.url).href}`
  const env = { ...process.env, BLOB_MUTANT: name, NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} ${hook}` }
  execFile('vitest', args, { cwd: join(src, '..'), env, maxBuffer: 1 << 26 }, () => resolve())
  await ended
  const tests = list(JSON.parse(await readFile(report, 'utf8')), 'testResults').flatMap((each) =>
    list(each, 'assertionResults').map((result) => ({
      status: String(Object(result).status),
      fullName: String(Object(result).fullName),
    })),
  )
  const byStatus = Object.groupBy(tests, ({ status }) => status)
  return Object.fromEntries(
    Object.entries(byStatus).map(([status, found]) => [status, (found ?? []).map(({ fullName }) => fullName)]),
  )
}

function list(of: unknown, key: string): unknown[] {
  const value: unknown = Object(of)[key]
  return Array.isArray(value) ? value : []
}

test.for(mutants.slice(0, wanted))('is caught: $name', { timeout: 300_000 }, async (mutant, { annotate }) => {
  const { failed = [], passed = [] } = await outcomes(mutant)
  expect(failed, `passed: ${passed.join(', ')}`).not.toEqual([])
  await annotate(`by "${failed[0]}"`)
})
