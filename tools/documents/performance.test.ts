import { mkdirSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { withFigures } from './figures.ts'
import { keep, keptSuites, readResult } from './kept-suite.ts'
import { performanceFiles } from './performance.ts'

const figures = { peer: 2, unit: 'x/s', ratio: 2, spread: [2, 2], rounds: 5 } as const
const named = (name: string, ours: number) => ({ case: `fake/${name}`, ours, ...figures })
const result = {
  suite: 'fake',
  command: 'npm run bench -- fake',
  quick: false,
  machine: '2 x machine',
  takenOn: '2026-01-02',
  tookSeconds: 180,
  cases: [named('first', 4), named('second', 5)],
}

test('figures of a later run replace those of the same cases; what each run says of itself stays with its figures', async () => {
  await using folder = await temporaryFolder()
  const base = folder.path
  mkdirSync(join(base, 'docs/performance'), { recursive: true })
  keep(result, { base })
  keep({ ...result, machine: '64 x other', cases: [named('second', 6)] }, { base })
  const [suite] = keptSuites(base)
  expect(suite?.runs.map(({ machine, cases }) => [machine, cases.map(({ ours }) => ours)])).toEqual([
    ['2 x machine', [4]],
    ['64 x other', [6]],
  ])
  const { 'performance.md': page, 'performance/fake.svg': plot } = performanceFiles(keptSuites(base))
  expect(page).toMatch(/on 2 x machine\. It took 3 min\.[^]*fake\/first \| 4 [^]*on 64 x other\.[^]*fake\/second \| 6 /)
  expect(plot).toMatch(/fake\/first[^]*fake\/second/)
  keep({ ...result, cases: [named('third', 1)] }, { base, all: true })
  expect(keptSuites(base)[0]?.runs.map(({ cases }) => cases.length)).toEqual([1])
})

test('a bare array needs to be told its machine; what is no result is refused by name', async () => {
  await using folder = await temporaryFolder()
  const file = join(folder.path, 'figures.json')
  await writeFile(file, JSON.stringify(result.cases))
  expect(() => readResult(file)).toThrow('does not say where its figures come from: add --machine')
  expect(readResult(file, '2 x machine')).toMatchObject({ suite: 'fake', machine: '2 x machine', quick: false })
  await writeFile(file, '')
  expect(() => readResult(file)).toThrow(/figures\.json is no whole JSON: did the bench/)
  await writeFile(file, '{"a":1}')
  expect(() => readResult(file)).toThrow(/figures\.json was not written by npm run bench/)
})

test('a figure in a text is the one that is kept; a case that no bench has is refused by name', () => {
  const suites = [{ suite: 'fake', runs: [result] }]
  const text = 'a <!--figure fake/first ours--><!--/--> b <!--figure fake/first ratio-->9<!--/-->, <!-- else -->'
  const filled = 'a <!--figure fake/first ours-->4 x/s<!--/--> b <!--figure fake/first ratio-->2<!--/-->, <!-- else -->'
  expect(withFigures('a.md', text, suites)).toBe(filled)
  expect(withFigures('a.md', filled, suites)).toBe(filled)
  expect(() => withFigures('a.md', '<!--figure fake/none ours-->1<!--/-->', suites)).toThrow(
    'a.md: no bench has the figure fake/none ours',
  )
  expect(withFigures('a.md', '<!--figure fake/new ours--><!--/-->', suites, new Set(['fake/new']))).toBe(
    '<!--figure fake/new ours-->(not measured yet)<!--/-->',
  )
})
