import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sharedBackend } from '@ballast/backends'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { type Change, type Mutant, variable } from './mutant.ts'

const src = fileURLToPath(new URL('..', import.meta.url))

/** `wanted`: how many of the list are tried; all of them take minutes. */
export function describeMutants(mutants: readonly Mutant[], wanted: number): void {
  test('every mutant changes a line that is there once', async () => {
    for (const { file, line } of mutants)
      expect((await readFile(join(src, file), 'utf8')).split(line), file).toHaveLength(2)
  })

  test.for(mutants.slice(0, wanted))('is caught: $name', { timeout: 300_000 }, async (mutant, { skip, annotate }) => {
    if (mutant.backend !== undefined) {
      await sharedBackend(mutant.backend).catch(() => skip(`no ${mutant.backend} can be had here`))
    }
    const { failed = [], passed = [] } = await outcomes(mutant)
    expect(failed, `passed: ${passed.join(', ')}`).not.toEqual([])
    await annotate(`by "${failed[0]}"`)
  })
}

/** Names of the tests that ran, by what became of them. */
async function outcomes({
  test: tests,
  named,
  file,
  line,
  instead,
}: Mutant): Promise<Partial<Record<string, string[]>>> {
  await using folder = await temporaryFolder()
  const report = join(folder.path, 'report.json')
  const config = join(import.meta.dirname, 'vitest.config.ts')
  const only = named === undefined ? [] : ['-t', named]
  const args = ['run', '--config', config, `src/${tests}`, ...only, '--reporter=json', `--outputFile=${report}`]
  const { promise: ended, resolve } = Promise.withResolvers<void>()
  const hook = `--import=${new URL('mutate-children.ts', import.meta.url).href}`
  const change: Change = { file, line, instead }
  const env = {
    ...process.env,
    [variable]: JSON.stringify(change),
    NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} ${hook}`,
  }
  execFile('vitest', args, { cwd: join(src, '..'), env, maxBuffer: 1 << 26 }, () => resolve())
  await ended
  const results = list(JSON.parse(await readFile(report, 'utf8')), 'testResults').flatMap((each) =>
    list(each, 'assertionResults').map((result) => ({
      status: String(Object(result).status),
      fullName: String(Object(result).fullName),
    })),
  )
  const byStatus = Object.groupBy(results, ({ status }) => status)
  return Object.fromEntries(
    Object.entries(byStatus).map(([status, found]) => [status, (found ?? []).map(({ fullName }) => fullName)]),
  )
}

function list(of: unknown, key: string): unknown[] {
  const value: unknown = Object(of)[key]
  return Array.isArray(value) ? value : []
}
