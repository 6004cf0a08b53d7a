import { mix32 } from './rendezvous.ts'

/**
 * AnchorHash (Mendelson, Vargaftik, Barabash, Lorenz, Keslassy, Orda 2020, arXiv 1812.09674, algorithm 3): buckets out of a fixed
 * capacity, any of which can be removed and added again in the reverse order.
 *
 * A removal moves the keys of that bucket only, evenly to all others; adding it back moves exactly those back. Balance is that of
 * random keys. Look-up: 1 + ln(capacity / working) hashes on average; memory 16 bytes per bucket of capacity. Processes
 * that are to agree must see removals in the same order.
 */
export class Anchor {
  /** 0 for a working bucket, else how many worked after its removal. */
  readonly #removedAt: Int32Array
  /** Who took the place of a removed bucket. */
  readonly #successor: Int32Array
  readonly #working: Int32Array
  readonly #placeOf: Int32Array
  readonly #removed: number[] = []
  #size: number

  /** @param size how many of `capacity` buckets work at first: 0 to size - 1. */
  constructor(capacity: number, size: number) {
    if (!(Number.isInteger(capacity) && Number.isInteger(size) && size >= 1 && size <= capacity)) {
      throw new RangeError(`size must be 1 to the capacity of ${capacity}, not ${size}`)
    }
    this.#removedAt = new Int32Array(capacity)
    this.#successor = Int32Array.from({ length: capacity }, (_, bucket) => bucket)
    this.#working = this.#successor.slice()
    this.#placeOf = this.#successor.slice()
    this.#size = capacity
    for (let bucket = capacity - 1; bucket >= size; bucket--) this.remove(bucket)
  }

  get size(): number {
    return this.#size
  }

  /** The working bucket of a key of 32 bits, such as `hash32` makes. */
  of(key: number): number {
    let bucket = mix32(key) % this.#removedAt.length
    let removedAt = this.#removedAt[bucket] ?? 0
    while (removedAt > 0) {
      let other = mix32(Math.imul(key, 0x9e3779b1) ^ mix32(bucket + 1)) % removedAt
      while ((this.#removedAt[other] ?? 0) >= removedAt) other = this.#successor[other] ?? 0
      bucket = other
      removedAt = this.#removedAt[bucket] ?? 0
    }
    return bucket
  }

  /** @throws RangeError when it does not work, or is the last. */
  remove(bucket: number): void {
    if (this.#removedAt[bucket] !== 0 || this.#size === 1) throw new RangeError(`bucket ${bucket} cannot be removed`)
    this.#removed.push(bucket)
    this.#size--
    const last = this.#working[this.#size] ?? 0
    const place = this.#placeOf[bucket] ?? 0
    this.#removedAt[bucket] = this.#size
    this.#working[place] = last
    this.#successor[bucket] = last
    this.#placeOf[last] = place
  }

  /** Adds the bucket that was removed last, and returns it. @throws RangeError at full capacity. */
  add(): number {
    const bucket = this.#removed.pop()
    if (bucket === undefined) throw new RangeError(`all ${this.#size} buckets work`)
    this.#removedAt[bucket] = 0
    this.#placeOf[this.#working[this.#size] ?? 0] = this.#size
    this.#working[this.#placeOf[bucket] ?? 0] = bucket
    this.#successor[bucket] = bucket
    this.#size++
    return bucket
  }
}
