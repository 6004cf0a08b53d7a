import { expect, test } from 'vitest'
import { type Pausable, Turns } from './turns.ts'

function setUp() {
  const due: (() => void)[] = []
  const turns = new Turns((action) => void due.push(action))
  const said: string[] = []
  const connection = (name: string | number, destroyed = false): Pausable => ({
    destroyed,
    pause: () => said.push(`${name} waits`),
    resume: () => said.push(`${name} goes on`),
  })
  /** What was said until the end of the turn. */
  const turn = (): string[] => {
    for (const action of due.splice(0)) action()
    return said.splice(0)
  }
  return { turns, connection, turn, due }
}

test('while nobody arrives nobody waits, and no turn is asked for', () => {
  const { turns, connection, turn, due } = setUp()
  for (let n = 0; n < 1000; n++) turns.answered(connection(n))
  expect([due.length, turn()]).toEqual([0, []])
})

test('after an arrival four a turn go on, in the order of their answers, each once; then nothing is left of it', () => {
  const { turns, connection, turn, due } = setUp()
  turns.arrived()
  for (let n = 0; n < 10; n++) turns.answered(connection(n))
  expect(turn()).toEqual([...[4, 5, 6, 7, 8, 9].map((n) => `${n} waits`), ...[4, 5, 6, 7].map((n) => `${n} goes on`)])
  turns.answered(connection('late'))
  expect(turn()).toEqual(['late waits', '8 goes on', '9 goes on', 'late goes on'])
  for (let turns = 0; due.length > 0; turns++) {
    expect(turn()).toEqual([])
    expect(turns).toBeLessThan(8)
  }
  turns.answered(connection('after'))
  expect([turns.waiting, turn()]).toEqual([0, []])
})

test('each of ten thousand goes on exactly once, also while others arrive all the time', () => {
  const { turns, connection, turn, due } = setUp()
  turns.arrived()
  for (let n = 0; n < 10_000; n++) turns.answered(connection(n))
  const gone = turn().filter((line) => line.endsWith('goes on'))
  for (let arrivals = 100; due.length > 0; arrivals--) {
    if (arrivals > 0) turns.arrived()
    gone.push(...turn())
  }
  expect(gone).toEqual(Array.from({ length: 9996 }, (_, n) => `${n + 4} goes on`))
})

test('a connection that is gone meanwhile takes no harm', () => {
  const { turns, connection, turn } = setUp()
  turns.arrived()
  for (let n = 0; n < 4; n++) turns.answered(connection(n))
  turns.answered(connection('gone', true))
  turns.answered(connection('b'))
  expect(turn()).toEqual(['gone waits', 'b waits', 'b goes on'])
})
