import { openStream, type WriteStream } from '@ballast/state-stores/stream'
import { expect, test } from 'vitest'
import { pagesOf, replay } from './dead-letters.ts'

const request = { maxEntries: 10, maxBytes: 1e9, waitMs: 0 }

/** A queue without entries and with 250 letters, every tenth a conflict. */
async function withLetters(maxEntries = 1000): Promise<WriteStream> {
  const stream = await openStream('memory:', { bounds: { maxEntries } })
  await stream.append([{ documents: 1, body: Buffer.from('x') }])
  const [claimed] = await stream.claim('one', request)
  if (claimed === undefined) throw new Error('nothing was queued')
  const dead = Array.from({ length: 250 }, (_, n) => ({
    id: n.toString(16).padStart(24, '0'),
    reason: n % 10 === 0 ? 'conflict: other content' : 'invalid: why',
    body: Buffer.from(`${n}`),
  }))
  await stream.bury([{ claimed, dead }])
  return stream
}

test('letters come in order, all pages of them, by id or by the beginning of their reason', async () => {
  await using stream = await withLetters()
  const count = async (filter: object): Promise<number> => {
    let sum = 0
    for await (const page of pagesOf(stream, filter)) sum += page.length
    return sum
  }
  expect(await count({})).toBe(250)
  expect(await count({ reason: 'conflict' })).toBe(25)
  expect(await count({ id: '0'.repeat(24) })).toBe(1)
  expect(await count({ id: '0'.repeat(24), reason: 'invalid' })).toBe(0)
})

test('a replay moves what is meant, tells what is not there, and stops at the bound of the queue', async () => {
  await using stream = await withLetters()
  expect(await replay(stream, { reason: 'conflict' })).toEqual({ replayed: 25, unknown: 0, full: null })
  expect(await replay(stream, { id: '0'.repeat(24) })).toEqual({ replayed: 0, unknown: 1, full: null })
  expect(await replay(stream, {})).toEqual({ replayed: 225, unknown: 0, full: null })
  expect(await stream.backlog()).toMatchObject({ entries: 250, deadLetters: 0 })
  await using small = await withLetters(40)
  expect(await replay(small, {})).toEqual({ replayed: 40, unknown: 0, full: 'entries' })
  expect(await small.backlog()).toMatchObject({ entries: 40, deadLetters: 210 })
})
