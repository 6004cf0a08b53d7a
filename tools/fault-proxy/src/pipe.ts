import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Direction, Faults } from './faults.ts'

const pauseAboveBytes = 1 << 20
const resumeBelowBytes = 1 << 19
/** A narrow link passes a chunk bit by bit; this often is enough to look like it. */
const slicesPerSecond = 20

export interface PipeOptions {
  readonly from: Socket
  readonly to: Socket
  readonly direction: Direction
  readonly faults: Readonly<Faults>
  /** Between 0 and 1; given, so that a test can replay its jitter. */
  readonly random: () => number
  /** Looks at the bytes on their way and may hold them back. */
  readonly gate?: (chunk: Buffer) => Promise<void> | undefined
  /** How many of the next bytes may pass before the connection has to end. */
  readonly allowance: () => number
  readonly onBytes: (count: number) => void
  readonly onDropped: (count: number) => void
}

/**
 * Carries one direction of a connection through its faults. Chunks are handled strictly one after the other, so a
 * delay never lets a later chunk overtake an earlier one; the end of the stream is the last chunk.
 */
export function pipe({ from, to, direction, faults, random, gate, allowance, onBytes, onDropped }: PipeOptions): void {
  let last: Promise<void> = Promise.resolve()
  let queued = 0
  let linkFreeAtMs = 0

  const carry = async (chunk: Buffer, arrivedAtMs: number): Promise<void> => {
    if (faults.drop === 'both' || faults.drop === direction) {
      onDropped(chunk.length)
      return
    }
    const latencyMs = faults.latencyMs + faults.jitterMs * random()
    // Counted from arrival: latency is a property of the path, so a burst is late once, not once per chunk.
    await waitUntil(arrivedAtMs + latencyMs)
    await gate?.(chunk)
    for (let from = 0; from < chunk.length;) {
      const slice = chunk.subarray(from, from + Math.max(1, Math.floor(faults.bytesPerSecond / slicesPerSecond)))
      from += slice.length
      linkFreeAtMs = Math.max(linkFreeAtMs, performance.now()) + (slice.length / faults.bytesPerSecond) * 1000
      await waitUntil(linkFreeAtMs)
      await send(slice)
    }
  }

  const send = async (bytes: Buffer): Promise<void> => {
    const passing = bytes.subarray(0, allowance())
    // Bytes that are still in our buffers at a reset would be lost with it.
    if (!to.destroyed && passing.length > 0) await new Promise((done) => to.write(passing, done))
    onBytes(passing.length)
  }

  const carryNext = async (chunk: Buffer, arrivedAtMs: number, previous: Promise<void>): Promise<void> => {
    await previous
    await carry(chunk, arrivedAtMs)
    queued -= chunk.length
    if (queued < resumeBelowBytes) from.resume()
  }

  from.on('data', (chunk: Buffer) => {
    queued += chunk.length
    if (queued > pauseAboveBytes) from.pause()
    last = carryNext(chunk, performance.now(), last)
  })
  from.on('end', () => {
    void last.then(() => to.end())
  })
}

async function waitUntil(atMs: number): Promise<void> {
  const waitMs = atMs - performance.now()
  if (waitMs > 0) await delay(waitMs)
}
