import { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { OpenBlob } from '@ballast/state-stores/blob'
import { waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { VerifiedBody } from './verified-body.ts'

const close = async (): Promise<void> => {}

/** A blob of three pieces, and what becomes of them. */
function blobOfThree(fails = false) {
  const log: string[] = []
  async function* body() {
    try {
      for (const piece of ['a', 'b', 'c']) {
        log.push(`read ${piece}`)
        yield Buffer.from(piece)
      }
      if (fails) throw new Error('damaged')
    } finally {
      log.push('closed')
    }
  }
  const blob: OpenBlob = {
    digest: '',
    sizeBytes: 3,
    range: { start: 0, end: 3 },
    body,
    release: (piece) => log.push(`released ${piece.toString()}`),
    close,
    [Symbol.asyncDispose]: close,
  }
  return { blob, log }
}

/** A connection whose client takes a piece when it is told to. */
function connection(log: string[]) {
  let taken: (() => void) | undefined
  const destination = new Writable({
    write(piece, _encoding, done) {
      log.push(`wrote ${piece}`)
      taken = done
    },
  })
  return { destination, take: () => taken?.() }
}

test('a piece is read when the one before has left, and its memory given back when it has', async () => {
  const { blob, log } = blobOfThree()
  const { destination, take } = connection(log)
  const body = new VerifiedBody(blob)
  body.pipe(destination)
  for (const piece of ['a', 'b', 'c']) {
    await waitUntil(() => log.at(-1) === `wrote ${piece}`)
    await new Promise(setImmediate)
    expect(log.splice(0).slice(-2)).toEqual([`read ${piece}`, `wrote ${piece}`])
    take()
  }
  await finished(destination)
  expect(log).toEqual(['released c', 'closed'])
})

test('a client that goes away closes the blob; what it did not take is not given back', async () => {
  const { blob, log } = blobOfThree()
  const { destination } = connection(log)
  const body = new VerifiedBody(blob)
  body.pipe(destination)
  await waitUntil(() => log.length === 2)
  destination.destroy()
  await expect(finished(body)).rejects.toThrow('went away')
  expect(log).toEqual(['read a', 'wrote a', 'closed'])
})

test('damage on the way is an error of the body, after what came before it; the response is not ended', async () => {
  const { blob, log } = blobOfThree(true)
  const sent: string[] = []
  const destination = new Writable({ write: (piece, _encoding, done) => (sent.push(String(piece)), done()) })
  const body = new VerifiedBody(blob)
  body.pipe(destination)
  await expect(finished(body)).rejects.toThrow('damaged')
  expect([sent.join(''), destination.writableEnded, log.at(-1)]).toEqual(['abc', false, 'closed'])
})
