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

test('after an arrival one goes on, then twice as many a turn, in the order of their answers; then nothing is left of it', () => {
  const { turns, connection, turn, due } = setUp()
  turns.arrived()
  for (let n = 0; n < 4; n++) turns.answered(connection(n))
  expect(turn()).toEqual(['1 waits', '2 waits', '3 waits', '1 goes on'])
  turns.answered(connection('late'))
  expect([turn(), turn()]).toEqual([['late waits', '2 goes on', '3 goes on'], ['late goes on']])
  for (let turns = 0; due.length > 0; turns++) {
    expect(turn()).toEqual([])
    expect(turns).toBeLessThan(8)
  }
  turns.answered(connection('after'))
  expect([turns.waiting, turn()]).toEqual([0, []])
})

test('while others arrive one a turn goes on', () => {
  const { turns, connection, turn } = setUp()
  turns.arrived()
  for (let n = 0; n < 100; n++) turns.answered(connection(n))
  turn()
  for (let n = 2; n < 50; n++) {
    turns.arrived()
    expect(turn()).toEqual([`${n} goes on`])
  }
})

test('thousands who ask again at once go on a few hundred a turn, in the order of their answers, for as long as they do', () => {
  const { turns, connection, turn } = setUp()
  turns.arrived()
  for (let n = 0; n < 3000; n++) turns.answered(connection(n))
  const perTurn: number[] = []
  for (let answered = 3000; perTurn.length < 30;) {
    const gone = turn().filter((line) => line.endsWith('goes on'))
    perTurn.push(gone.length)
    for (const _ of gone) turns.answered(connection(answered++))
  }
  expect(perTurn.slice(0, 10)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512])
  expect(new Set(perTurn.slice(10))).toEqual(new Set([512]))
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
  expect(gone).toEqual(Array.from({ length: 9999 }, (_, n) => `${n + 1} goes on`))
})

test('a connection that is gone meanwhile takes no harm', () => {
  const { turns, connection, turn } = setUp()
  turns.arrived()
  turns.answered(connection('first'))
  turns.answered(connection('gone', true))
  turns.answered(connection('b'))
  expect([turn(), turn()]).toEqual([['gone waits', 'b waits'], ['b goes on']])
})
