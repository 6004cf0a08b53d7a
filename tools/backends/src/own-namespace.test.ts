import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startProcess, temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'

const ownNamespace = fileURLToPath(new URL('own-namespace.ts', import.meta.url))
const vitest = fileURLToPath(new URL('../node_modules/vitest/', import.meta.url))

/** Runs a test file of its own: whether its tests pass is what matters here. */
async function runFile(passes: boolean): Promise<{ file: string; said: string; names: string[] }> {
  await using folder = await temporaryFolder()
  writeFileSync(
    join(folder.path, 'inner.test.ts'),
    `import { expect, test } from ${JSON.stringify(join(vitest, 'dist/index.js'))}
     import { ownNamespace, ownNamespaceOfTest } from ${JSON.stringify(ownNamespace)}
     const url = 'redis://user:s3cret@127.0.0.1:1/0?password=s3cret'
     const drop = async (name) => void process.stderr.write('dropped ' + name + '\\n')
     const name = ownNamespace(url, drop)
     process.stderr.write('file ' + name + '\\n')
     test('one', () => { process.stderr.write('test ' + ownNamespaceOfTest(url, drop) + '\\n') })
     test('two', () => { process.stderr.write('test ' + ownNamespaceOfTest(url, drop) + '\\n'); expect(${passes}).toBe(true) })`,
  )
  await using process = startProcess({ args: [join(vitest, 'vitest.mjs'), 'run'], cwd: folder.path })
  await process.exit
  const said = [...process.stdout, ...process.stderr].join('\n')
  const [file = ''] = /(?<=^file )\w+/m.exec(said) ?? []
  return { file, said, names: said.match(/(?<=^test )\w+/gm) ?? [] }
}

const dropped = (name: string): string => `dropped ${name}`
const kept = (name: string): string => `kept for a look, as a test failed: "${name}" at redis://127.0.0.1:1/0\n`

test('what passed is dropped, of the file and of each test', async () => {
  const { file, said, names } = await runFile(true)
  expect(new Set([file, ...names])).toHaveLength(3)
  for (const name of [file, ...names]) {
    expect(name).toMatch(/^[a-z][a-z0-9]{27}$/)
    expect(said).toContain(dropped(name))
  }
  expect(said).not.toContain('kept')
})

test('what failed is kept and named, without a password; other tests of the file are dropped', async () => {
  const { file, said, names } = await runFile(false)
  const [passed = '', failed = ''] = names
  expect(said).toContain(kept(failed))
  expect(said).toContain(kept(file))
  expect(said).not.toContain(dropped(file))
  expect(said).toContain(dropped(passed))
  expect(said).not.toContain('s3cret@')
})
