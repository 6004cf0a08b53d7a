import { openDocumentStore } from '@ballast/state-stores/document'
import { defaultBounds, openStream } from '@ballast/state-stores/stream'
import { expect, test } from 'vitest'
import { Admission } from './admission/admission.ts'
import { GradientLimit } from './admission/gradient-limit.ts'
import { DrainRate } from './drain-rate.ts'
import { StoredWait } from './stored-wait.ts'
import { Writer } from './writer.ts'
import { Writes } from './writes.ts'

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
  await using writer = new Writer({ stream, maxEntryBytes: defaultBounds.maxEntryBytes })
  let nowMs = 0
  const limit = new GradientLimit({ initial: 10, min: 10, max: 10 })
  const admission = new Admission({ limit, maxRequests: 100, deadlineMs: 1000, now: () => nowMs })
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
  const accepted = Array.from({ length: 30 }, () => writes.accept())
  await turn()
  // So late that the newest go first.
  nowMs = 950
  first.resolve()
  await Promise.all(accepted)
  expect(refused).toEqual([])
  expect(entriesOfAppends).toEqual([1, 1, 1])
})
