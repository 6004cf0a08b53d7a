import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { GroupCommit } from './group-commit.ts'
import { NotAppliedError } from './outcome.ts'

/** A store whose commits are released by hand, so that a test decides who shares one. */
function gated() {
  const batches: number[][] = []
  const gates: (() => void)[] = []
  const commit = async (items: readonly number[]): Promise<readonly number[]> => {
    batches.push([...items])
    await new Promise<void>((open) => gates.push(open))
    return items.map((item) => item * 10)
  }
  const release = async (): Promise<void> => {
    gates.shift()?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { batches, commit, release }
}

describe('batching', () => {
  test('callers of one tick share the first commit; those who come meanwhile share the second', async () => {
    const { batches, commit, release } = gated()
    const group = new GroupCommit({ commit })
    const first = [group.submit(1), group.submit(2)]
    await release()
    const second = [group.submit(3), group.submit(4), group.submit(5)]
    expect(group.depth).toBe(3)
    await release()
    await release()
    await expect(Promise.all([...first, ...second])).resolves.toEqual([10, 20, 30, 40, 50])
    expect(batches).toEqual([
      [1, 2],
      [3, 4, 5],
    ])
  })

  test('a batch is capped in items and in bytes, and an item above the cap goes alone', async () => {
    const batches: number[][] = []
    const group = new GroupCommit<number, number>({
      commit: (items) => (batches.push([...items]), Promise.resolve(items)),
      maxItems: 3,
      maxBytes: 10,
      bytesOf: (item) => item,
    })
    await Promise.all([1, 1, 1, 1, 8, 99, 2].map((item) => group.submit(item)))
    expect(batches).toEqual([[1, 1, 1], [1, 8], [99], [2]])
  })

  test('at most maxQueued callers wait', async () => {
    const { commit, release } = gated()
    const group = new GroupCommit({ commit, maxQueued: 1 })
    const running = group.submit(1)
    await Promise.resolve()
    const queued = group.submit(2)
    await expect(group.submit(3)).rejects.toThrow(NotAppliedError)
    await release()
    await release()
    await expect(Promise.all([running, queued])).resolves.toEqual([10, 20])
  })
})

describe('failure', () => {
  test('a poisonous item fails alone', async () => {
    const applied: number[] = []
    const group = new GroupCommit<number, number>({
      commit: async (items) => {
        if (items.includes(13)) throw new NotAppliedError('13 is poison')
        applied.push(...items)
        return items
      },
    })
    const results = await Promise.allSettled([1, 2, 13, 4, 5].map((item) => group.submit(item)))
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ])
    expect(applied).toEqual([1, 2, 4, 5])
  })

  test('a store that takes nothing at all is asked once: everyone in the batch is told', async () => {
    let commits = 0
    const full = new NotAppliedError('the disk is full', { wholeStore: true })
    const group = new GroupCommit<number, number>({ commit: () => (commits++, Promise.reject(full)) })
    const results = await Promise.allSettled([1, 2, 3, 4].map((item) => group.submit(item)))
    expect(results).toEqual([1, 2, 3, 4].map(() => ({ status: 'rejected', reason: full })))
    expect(commits).toBe(1)
  })

  test('an unknown outcome is never tried again: everyone in the batch is told', async () => {
    let commits = 0
    const group = new GroupCommit<number, number>({ commit: () => (commits++, Promise.reject(new Error('gone'))) })
    const results = await Promise.allSettled([group.submit(1), group.submit(2)])
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(commits).toBe(1)
  })

  test('a store that answers too few outcomes fails the batch instead of leaving a caller waiting', async () => {
    const group = new GroupCommit<number, number>({ commit: () => Promise.resolve([1]) })
    await expect(Promise.all([group.submit(1), group.submit(2)])).rejects.toThrow('1 outcomes for 2 items')
  })
})

describe('abort and close', () => {
  test('an abort removes a waiting caller; one in a batch gets his outcome', async () => {
    const { batches, commit, release } = gated()
    const group = new GroupCommit({ commit })
    const inBatch = new AbortController()
    const waiting = new AbortController()
    const first = group.submit(1, { signal: inBatch.signal })
    await Promise.resolve()
    const second = group.submit(2, { signal: waiting.signal })
    const third = group.submit(3)
    inBatch.abort()
    waiting.abort(new Error('gave up'))
    await expect(second).rejects.toThrow('gave up')
    await release()
    await expect(first).resolves.toBe(10)
    await release()
    await expect(third).resolves.toBe(30)
    expect(batches).toEqual([[1], [3]])
  })

  test('close waits for accepted callers and refuses new ones', async () => {
    const { commit, release } = gated()
    const group = new GroupCommit({ commit })
    const accepted = group.submit(1)
    const closed = group.close()
    await expect(group.submit(2)).rejects.toThrow('closing')
    await release()
    await closed
    await expect(accepted).resolves.toBe(10)
  })
})

test('every caller gets the outcome of his own item, in order of arrival, whatever the caps', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(1000), { maxLength: 60 }),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 3000 }),
      async (items, maxItems, maxBytes) => {
        const applied: number[] = []
        const commit = async (batch: readonly number[]): Promise<readonly string[]> => {
          applied.push(...batch)
          await Promise.resolve()
          return batch.map(String)
        }
        const group = new GroupCommit<number, string>({ commit, maxItems, maxBytes, bytesOf: (item) => item })
        expect(await Promise.all(items.map((item) => group.submit(item)))).toEqual(items.map(String))
        expect(applied).toEqual(items)
      },
    ),
  )
})
