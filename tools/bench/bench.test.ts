import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import type { BenchSides, Suite } from './case.ts'
import { describeMachine } from './machine.ts'
import { measure } from './measure.ts'
import { runBench } from './run.ts'
import { median, range } from './statistics.ts'
import { benchTable, figure } from './table.ts'

const higher = { name: 'a/b', unit: 'x/s', higherIsBetter: true }
const lower = { ...higher, higherIsBetter: false }

/** Sides that return these figures in turn and note the order of their calls. */
function scripted(ours: number[], peer: number[]): BenchSides & { calls: string[] } {
  const calls: string[] = []
  const next = (side: string, figures: number[]) => () => {
    calls.push(side)
    return Promise.resolve(figures.shift() ?? Number.NaN)
  }
  return { calls, ours: next('o', ours), peer: next('p', peer) }
}

test('median and range', () => {
  expect(median([3, 1, 2])).toBe(2)
  expect(median([4, 1, 2, 3])).toBe(2.5)
  expect(range([3, 1, 2])).toEqual([1, 3])
  expect(() => median([])).toThrow('no median of nothing')
})

test('sides take turns, who begins alternates, the warm-up does not count', async () => {
  const bench = scripted([9_999, 10, 20, 30], [1, 5, 5, 10])
  await expect(measure(higher, bench, 3)).resolves.toEqual({
    case: 'a/b',
    ours: 20,
    peer: 5,
    unit: 'x/s',
    ratio: 3,
    spread: [2, 4],
    rounds: 3,
  })
  expect(bench.calls.join('')).toBe('opoppoop')
})

test('a case with rounds of its own has these, and no turn before them', async () => {
  const calls: string[] = []
  const once = async (): Promise<number> => calls.push('o')
  const suite = {
    name: 'fake',
    summary: 'of one case',
    cases: [{ ...higher, rounds: () => 2, compares: 'nothing', open: async () => ({ ours: once }) }],
  }
  await runBench({ argv: ['fake'], suites: [suite], print: () => {}, progress: (line) => void calls.push(line.trim()) })
  expect(calls).toEqual(['a/b: nothing', 'round 1 of 2', 'o', 'round 2 of 2', 'o'])
})

test('the ratio is above 1 when ours is better, also where lower is better', async () => {
  const { ratio } = await measure(lower, scripted([0, 10, 10, 10], [0, 30, 30, 30]), 3)
  expect(ratio).toBe(3)
})

test('an absolute case has neither peer nor ratio', async () => {
  const { peer: _, ...absolute } = scripted([0, 10, 30, 20], [])
  await expect(measure(higher, absolute, 3)).resolves.toMatchObject({
    ours: 20,
    peer: null,
    ratio: null,
    spread: [10, 30],
  })
})

test('a failing measurement fails the case', async () => {
  const broken = { ours: () => Promise.reject(new Error('refused')) }
  await expect(measure(higher, broken, 3)).rejects.toThrow('refused')
})

test('the table is aligned', async () => {
  const rows = [
    await measure(higher, scripted([0, 12_345, 12_345, 12_345], [0, 5, 5, 5]), 3),
    {
      ...(await measure(higher, scripted([0, 1, 1, 1], [0, 3, 3, 3]), 3)),
      case: 'much/longer',
      peer: null,
      ratio: null,
    },
  ]
  expect(benchTable(rows)).toBe(
    [
      'case           ours  peer  unit  ratio        spread  rounds',
      'a/b          12 300     5  x/s   2 470  2 470..2 470       3',
      'much/longer       1     -  x/s       -  0.333..0.333       3',
    ].join('\n'),
  )
})

test.each([
  [0.012_345, '0.0123'],
  [4.5678, '4.57'],
  [999.9, '1 000'],
  [1_234_567, '1 230 000'],
])('%d is shown as %s', (value, text) => {
  expect(figure(value)).toBe(text)
})

test('a busy machine is named as such', () => {
  const processor = { model: 'M', speed: 1, times: { user: 0, nice: 0, sys: 0, idle: 0, irq: 0 } }
  expect(describeMachine([processor, processor], [0.2])).toMatch(/^2 x M, \d+ GiB, Node 24.*load 0\.2$/)
  expect(describeMachine([processor, processor], [1.6])).toContain('(busy: trust ratios, not figures)')
})

function suiteOf(closed: string[]): Suite {
  return {
    name: 'fake',
    summary: 'of figures that are known',
    cases: ['fake/first', 'fake/second'].map((name) => ({
      ...higher,
      name,
      compares: 'four with two',
      open(stack) {
        stack.defer(() => void closed.push(name))
        return Promise.resolve({ ours: () => Promise.resolve(4), peer: () => Promise.resolve(2) })
      },
    })),
  }
}

async function bench(...argv: string[]): Promise<{ code: number; printed: string; closed: string[] }> {
  const printed: string[] = []
  const closed: string[] = []
  const code = await runBench({
    argv,
    suites: [suiteOf(closed)],
    print: (line) => printed.push(line),
    progress: () => {},
  })
  return { code, printed: printed.join('\n'), closed }
}

test('a suite runs each case, closes what it opened, prints a table and writes JSON', async () => {
  await using folder = await temporaryFolder()
  const file = join(folder.path, 'figures.json')
  const { code, printed, closed } = await bench('fake', '--quick', '--json', file)
  expect(code).toBe(0)
  expect(closed).toEqual(['fake/first', 'fake/second'])
  expect(printed).toMatch(/^\d+ x .*Node 24[^]*fake\/first +4 +2 +x\/s +2 +2\.\.2 +3/)
  const figures = { ours: 4, peer: 2, unit: 'x/s', ratio: 2, spread: [2, 2], rounds: 3 }
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({
    suite: 'fake',
    command: 'npm run bench -- fake --quick',
    quick: true,
    machine: printed.split('\n')[0],
    takenOn: expect.stringMatching(/^\d{4}-\d{2}-\d{2}$/),
    tookSeconds: 0,
    cases: [
      { case: 'fake/first', ...figures },
      { case: 'fake/second', ...figures },
    ],
  })
})

test('--only opens only what it names', async () => {
  await expect(bench('fake', '--quick', '--only', 'second')).resolves.toMatchObject({ closed: ['fake/second'] })
  await expect(bench('fake', '--only', 'third')).rejects.toThrow('No case of fake has "third" in its name.')
})

test('without a suite the help is shown, and an unknown one is named', async () => {
  await expect(bench()).resolves.toMatchObject({ code: 2, printed: expect.stringContaining('fake   of figures') })
  await expect(bench('--help')).resolves.toMatchObject({ code: 0 })
  await expect(bench('none')).rejects.toThrow('There is no suite "none"; there are fake.')
})
