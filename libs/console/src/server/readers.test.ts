import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { expect, test, vi } from 'vitest'
import { Readers } from './readers.ts'

/** A response whose socket has room for so many writes. */
class Socket extends EventEmitter {
  readonly written: string[] = []
  room = Infinity
  destroyed = false
  writeHead(): void {}
  write(text: string): boolean {
    this.written.push(text)
    this.room -= 1
    return this.room > 0
  }
  destroy(): void {
    this.destroyed = true
    this.emit('close')
  }
  get asResponse(): ServerResponse {
    return this as unknown as ServerResponse
  }
}

const start = () => {
  const watched: boolean[] = []
  const readers = new Readers({ maxReaders: 2, stallMs: 1_000, watched: (now) => void watched.push(now) })
  return { readers, watched }
}

test('a slow reader costs one of each, and gets the latest of each', () => {
  const { readers } = start()
  const slow = new Socket()
  slow.room = 1
  readers.add(slow.asResponse, 'hello')
  for (let n = 0; n < 1_000; n++) for (const key of ['a', 'b']) readers.send(key, key, n)
  expect(slow.written).toEqual(['hello'])
  slow.room = Infinity
  slow.emit('drain')
  expect(slow.written.slice(1)).toEqual(['event: a\ndata: 999\n\n', 'event: b\ndata: 999\n\n'])
})

test('one that reads nothing for too long is cut off; the first and the last one are told of', () => {
  vi.useFakeTimers()
  try {
    const { readers, watched } = start()
    const stuck = new Socket()
    stuck.room = 1
    readers.add(stuck.asResponse, 'hello')
    vi.advanceTimersByTime(1_001)
    readers.send('a', 'a', 1)
    expect([stuck.destroyed, readers.size, watched]).toEqual([true, 0, [true, false]])
  } finally {
    vi.useRealTimers()
  }
})

test('who comes later is told at once what was said last', () => {
  const { readers } = start()
  readers.send('a', 'a', 1)
  readers.send('b', 'b', 2)
  readers.forget('a')
  const late = new Socket()
  readers.add(late.asResponse, 'hello')
  expect(late.written).toEqual(['hello', 'event: b\ndata: 2\n\n'])
})

test('for who is expected it is watched before he comes; when he does not come, no longer', () => {
  vi.useFakeTimers()
  try {
    const { readers, watched } = start()
    readers.expect(5_000)
    readers.expect(5_000)
    expect(watched).toEqual([true])
    const early = new Socket()
    readers.add(early.asResponse, 'hello')
    vi.advanceTimersByTime(5_000)
    expect(watched).toEqual([true])
    early.destroy()
    expect(watched).toEqual([true, false])
    readers.expect(5_000)
    vi.advanceTimersByTime(5_000)
    readers.expect(5_000)
    readers.end()
    expect(watched).toEqual([true, false, true, false, true, false])
  } finally {
    vi.useRealTimers()
  }
})
