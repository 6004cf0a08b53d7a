import { ObjectIds, openDocumentStore } from '@ballast/state-stores/document'
import { defaultBounds, openStream } from '@ballast/state-stores/stream'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Admission } from './admission/admission.ts'
import { GradientLimit } from './admission/gradient-limit.ts'
import { DrainRate } from './drain-rate.ts'
import { StoredWait } from './stored-wait.ts'
import { Writer } from './writer.ts'
import { Writes } from './writes.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }))
afterEach(() => void vi.useRealTimers())

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

test('requests that overtake each other at the door still share entries', async () => {
  await using inner = await openStream('memory:')
  await using documents = await openDocumentStore('memory:')
  const first = Promise.withResolvers<void>()
  const entriesOfAppends: number[] = []
  const stream: typeof inner = {
    ...inner,
    async append(entries) {
      entriesOfAppends.push(entries.length)
      if (entriesOfAppends.length === 1) await first.promise
      return inner.append(entries)
    },
  }
  await using writer = new Writer({
    stream,
    maxEntryBytes: defaultBounds.maxEntryBytes,
    ids: new ObjectIds(Buffer.alloc(8)),
  })
  const limit = new GradientLimit({ initial: 10, min: 10, max: 10 })
  const admission = new Admission({ limit, maxRequests: 100, deadlineMs: 1000, now: Date.now })
  const storedWait = new StoredWait({ documents, stream, maxWaiting: 10, timeoutMs: 200, pollMs: 1 })
  const refused: string[] = []
  const writes = new Writes({
    writer,
    drainRate: new DrainRate(),
    bounds: defaultBounds,
    admission,
    storedWait,
    refused: (code) => void refused.push(code),
  })
  const inside = Array.from({ length: 10 }, () => writes.accept())
  // Overload: for as long as a deadline everyone reaches it, so that the newest go first from now on.
  for (let round = 0; round < 2; round++) {
    const late = Promise.allSettled(Array.from({ length: 5 }, () => writes.accept()))
    await turn()
    vi.advanceTimersByTime(1000)
    await late
  }
  expect(refused).toEqual(Array.from({ length: 10 }, () => 'overloaded'))
  const waiting = Array.from({ length: 20 }, () => writes.accept())
  await turn()
  first.resolve()
  const ids = (await Promise.all(waiting)).map(({ group }) => group.ids.first)
  expect(ids).toEqual(ids.toSorted((a, b) => b - a))
  await Promise.all(inside)
  expect(entriesOfAppends).toEqual([1, 1, 1])
})
