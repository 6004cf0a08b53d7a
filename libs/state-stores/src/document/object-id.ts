import { randomBytes } from 'node:crypto'
import type { DocumentId } from './port.ts'

const counterSpace = 2 ** 24
const hexBytes = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Consecutive ids of one second; write them out with `ObjectIds.hex` and `ObjectIds.write`. */
export interface IdRange {
  readonly seconds: number
  /** Counter of the first id; none of the range wraps. */
  readonly first: number
}

/**
 * Makes ObjectIds (4 bytes of seconds, 5 random bytes per process, 3 bytes of counter) at the moment when a write is
 * accepted, so that every later attempt at the write carries the same `_id`.
 *
 * No id is made twice by one source: seconds never go back when the clock does, and when all 2^24 counters of a
 * second are used up the next second is borrowed. Two sources differ by 40 random bits.
 */
export class ObjectIds {
  readonly #random: Buffer
  #counter: number
  #seconds = 0
  #usedInSecond = 0
  #prefix = ''
  #prefixSeconds = -1

  constructor(random: Uint8Array = randomBytes(8)) {
    if (random.length < 8) throw new RangeError(`an ObjectId source needs 8 random bytes, not ${random.length}`)
    this.#random = Buffer.from(random.subarray(0, 5))
    this.#counter = Buffer.from(random).readUIntBE(5, 3)
  }

  reserve(count: number, nowMs: number): IdRange {
    const seconds = Math.floor(nowMs / 1000)
    if (seconds > this.#seconds) this.#turnTo(seconds)
    // The counters skipped at the wrap count as used, or the second could meet them again.
    const wraps = this.#counter + count > counterSpace
    const skipped = wraps ? counterSpace - this.#counter : 0
    if (this.#usedInSecond + skipped + count > counterSpace) this.#turnTo(this.#seconds + 1)
    const first = wraps ? 0 : this.#counter
    this.#counter = first + count
    this.#usedInSecond += skipped + count
    return { seconds: this.#seconds, first }
  }

  hex({ seconds, first }: IdRange, index: number): DocumentId {
    if (seconds !== this.#prefixSeconds) {
      this.#prefixSeconds = seconds
      this.#prefix = seconds.toString(16).padStart(8, '0') + this.#random.toString('hex')
    }
    const counter = first + index
    return this.#prefix + hexBytes[counter >> 16] + hexBytes[(counter >> 8) & 255] + hexBytes[counter & 255]
  }

  /** Writes the twelve bytes of one id. */
  write({ seconds, first }: IdRange, index: number, target: Buffer, offset: number): void {
    target.writeUInt32BE(seconds, offset)
    target.set(this.#random, offset + 4)
    target.writeUIntBE(first + index, offset + 9, 3)
  }

  #turnTo(seconds: number): void {
    this.#seconds = seconds
    this.#usedInSecond = 0
  }
}
