import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { expect, test, vi } from 'vitest'
import { EventStream } from './event-stream.ts'

/** A response whose socket has room for so many writes. */
class Socket extends EventEmitter {
  readonly written: string[] = []
  room = 1
  destroyed = false

  write(text: string): boolean {
    this.written.push(text)
    this.room -= 1
    return this.room > 0
  }
  end(text: string): void {
    this.written.push(text)
  }
  destroy(): void {
    this.destroyed = true
  }
  drain(room: number): void {
    this.room = room
    this.emit('drain')
  }
}

const counter = (version: bigint) => ({ name: 'a/b', value: version * 10n, version })
const start = () => {
  const socket = new Socket()
  // What the stream uses of a response.
  return { socket, stream: new EventStream(socket as unknown as ServerResponse, 'a/b', undefined) }
}

test('a reader that is too slow costs one buffer, and gets the latest state when there is room', () => {
  const { socket, stream } = start()
  for (let version = 1n; version <= 10_000n; version++) stream.show(counter(version))
  expect(socket.written).toHaveLength(1)
  socket.drain(9)
  expect(socket.written).toHaveLength(2)
  expect(socket.written[1]).toContain('id: 10000\n')
  stream.show(counter(10_001n))
  expect(socket.written).toHaveLength(3)
})

test('one that takes nothing for too long is to be cut off; until then no heartbeat is added to what waits', () => {
  vi.useFakeTimers()
  try {
    const { socket, stream } = start()
    stream.show(counter(1n))
    vi.advanceTimersByTime(999)
    expect(stream.beat(1_000)).toBe(false)
    vi.advanceTimersByTime(1)
    expect(stream.beat(1_000)).toBe(true)
    expect(socket.written).toHaveLength(1)
    socket.drain(2)
    expect(stream.beat(1_000)).toBe(false)
    expect(socket.written.at(-1)).toBe(':\n\n')
  } finally {
    vi.useRealTimers()
  }
})

test('at the end who reads is told when to come back, and who does not is cut off', () => {
  const slow = start()
  slow.stream.show(counter(1n))
  slow.stream.end(1_500)
  expect([slow.socket.destroyed, slow.socket.written.length]).toEqual([true, 1])
  const quick = start()
  quick.stream.end(1_500)
  expect([quick.socket.destroyed, quick.socket.written]).toEqual([false, ['retry: 1500\n\n']])
})
