import { ObjectIds, openDocumentStore } from '@ballast/state-stores/document'
import { defaultBounds, openStream } from '@ballast/state-stores/stream'
import { expect, test } from 'vitest'
import { DrainRate } from './drain-rate.ts'
import { StoredWait } from './stored-wait.ts'
import { Writer } from './writer.ts'
import { Writes } from './writes.ts'

test('requests that overtake each other at the door still share an entry', async () => {
  await using inner = await openStream('memory:')
  await using documents = await openDocumentStore('memory:')
  const entriesOfAppends: number[] = []
  const stream: typeof inner = {
    ...inner,
    append: (entries) => (entriesOfAppends.push(entries.length), inner.append(entries)),
  }
  const ids = new ObjectIds(Buffer.alloc(8))
  await using writer = new Writer({ stream, maxEntryBytes: defaultBounds.maxEntryBytes, ids })
  const waiting: (() => void)[] = []
  const writes = new Writes({
    writer,
    drainRate: new DrainRate(),
    bounds: defaultBounds,
    admission: { enter: () => new Promise((resolve) => waiting.push(() => resolve(0))), leave: () => {} },
    storedWait: new StoredWait({ documents, stream, maxWaiting: 10, timeoutMs: 200, pollMs: 1 }),
    refused: () => {},
  })
  const accepted = Array.from({ length: 20 }, () => writes.accept())
  for (const letIn of waiting.toReversed()) letIn()
  const firstIds = (await Promise.all(accepted)).map(({ group }) => group.ids.first)
  expect(firstIds).toEqual(firstIds.toSorted((a, b) => b - a))
  expect(entriesOfAppends).toEqual([1])
})
