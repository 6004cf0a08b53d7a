import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Admission, NotAdmittedError } from './admission.ts'
import { GradientLimit } from './gradient-limit.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }))
afterEach(() => void vi.useRealTimers())

/** Lets every promise that can settle do so; time stands still. */
const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

async function pass(ms: number): Promise<void> {
  vi.advanceTimersByTime(ms)
  await settled()
}

function setUp(inside: number, { maxRequests = 100, deadlineMs = 1000 } = {}) {
  const limit = new GradientLimit({ initial: inside, min: inside, max: inside })
  const admission = new Admission({ limit, maxRequests, deadlineMs, now: Date.now })
  const order: string[] = []
  const enter = (name: string): Promise<number | string> =>
    admission.enter().then(
      (enteredMs) => (order.push(name), enteredMs),
      (error: unknown) => {
        expect(error).toBeInstanceOf(NotAdmittedError)
        order.push(`-${name}`)
        return 'refused'
      },
    )
  /** Lets one of those inside leave, and whoever follows come in. */
  const leave = async (): Promise<void> => {
    admission.leave(Date.now())
    await settled()
  }
  return { admission, order, enter, leave }
}

test('under the limit nobody waits; beyond it the oldest comes next', async () => {
  const { admission, order, enter, leave } = setUp(2)
  for (const name of ['a', 'b', 'c', 'd']) void enter(name)
  await settled()
  expect(order).toEqual(['a', 'b'])
  expect([admission.inside, admission.waiting]).toEqual([2, 2])
  await leave()
  await leave()
  expect(order).toEqual(['a', 'b', 'c', 'd'])
  expect([admission.inside, admission.waiting]).toEqual([2, 0])
})

test('nobody overtakes those who wait when a place becomes free', async () => {
  const { order, enter, leave } = setUp(1)
  void enter('a')
  void enter('b')
  await settled()
  const left = leave()
  void enter('c')
  await left
  expect(order).toEqual(['a', 'b'])
})

test('after a pause in which some reached the deadline the others are not overtaken', async () => {
  const { order, enter, leave } = setUp(1)
  for (const name of ['a', 'b']) void enter(name)
  // Nobody leaves for two and a half deadlines, in which others come and reach theirs.
  for (const name of ['c', 'd', 'e', 'f']) {
    await pass(600)
    void enter(name)
  }
  await pass(100)
  expect(order).toEqual(['a', '-b', '-c', '-d'])
  await leave()
  await leave()
  expect(order.slice(4)).toEqual(['e', 'f'])
})

test('once requests reach the deadline for as long as a deadline the newest comes next, until none has for as long', async () => {
  const { order, enter, leave } = setUp(1)
  // Three come in the time in which one is served.
  let come = 0
  for (let round = 0; round < 8; round++) {
    for (let one = 0; one < 3; one++) void enter(String(come++))
    await pass(400)
    await leave()
  }
  const served = order.filter((name) => !name.startsWith('-')).map(Number)
  expect(served).toEqual([0, 1, 2, 3, 6, 9, 12, 20, 23])
  await pass(1001)
  await leave()
  for (const name of ['x', 'y', 'z']) void enter(name)
  await pass(1001)
  void enter('v')
  void enter('w')
  await leave()
  expect(order.at(-1)).toBe('v')
})

test('who waited until the deadline is refused, also while nobody leaves', async () => {
  const { admission, order, enter, leave } = setUp(1)
  void enter('a')
  void enter('b')
  await pass(300)
  void enter('c')
  await pass(700)
  expect(order).toEqual(['a', '-b'])
  await pass(300)
  expect(order).toEqual(['a', '-b', '-c'])
  expect([admission.inside, admission.waiting]).toEqual([1, 0])
  await leave()
  void enter('d')
  await settled()
  expect(order).toEqual(['a', '-b', '-c', 'd'])
})

test('more than the most allowed are refused at once', async () => {
  const { order, enter, leave } = setUp(1, { maxRequests: 2 })
  for (const name of ['a', 'b', 'c']) void enter(name)
  await settled()
  expect(order).toEqual(['a', '-c'])
  await leave()
  void enter('d')
  await leave()
  expect(order).toEqual(['a', '-c', 'b', 'd'])
})

test('thousands who come and go in both orders are each let in or refused once', async () => {
  const { admission, order, enter, leave } = setUp(7, { maxRequests: 5000, deadlineMs: 50 })
  for (let name = 0; name < 20_000; name++) {
    void enter(String(name))
    if (name % 3 === 0) await pass(name % 4)
    if (name % 2 === 0 && admission.inside > 0) await leave()
  }
  await pass(60)
  while (admission.inside > 0) await leave()
  expect([admission.inside, admission.waiting]).toEqual([0, 0])
  expect(new Set(order.map((name) => name.replace('-', '')))).toHaveLength(20_000)
  expect(order).toHaveLength(20_000)
})
