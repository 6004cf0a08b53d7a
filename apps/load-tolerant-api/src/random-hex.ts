import { randomFillSync } from 'node:crypto'

/** The two digits of each byte, as they lie in memory. */
const pairs = new Uint16Array(256)
Buffer.from(pairs.buffer).write(Array.from(pairs, (_, byte) => byte.toString(16).padStart(2, '0')).join(''), 'latin1')

/**
 * Cryptographically random hex digits, made in bulk: one call of the generator and one conversion for 64 KiB.
 * No digit is handed out twice. Cost: under a microsecond for 512 digits, against 11 for a `randomBytes` call each; nothing is
 * allocated (`toString('hex')` made a string of 128 KiB for each pool, a tenth of all that the api allocated under load).
 */
export class RandomHex {
  readonly #raw: Buffer
  readonly #pairs: Uint16Array
  readonly #digits: Buffer
  #used: number

  constructor(poolBytes = 64 * 1024, fill: (raw: Buffer) => void = randomFillSync) {
    this.#raw = Buffer.allocUnsafe(poolBytes)
    this.#pairs = new Uint16Array(poolBytes)
    this.#digits = Buffer.from(this.#pairs.buffer)
    this.#used = this.#digits.length
    this.#fill = fill
  }

  readonly #fill: (raw: Buffer) => void

  /** Writes `count` digits as ASCII. */
  write(target: Buffer, offset: number, count: number): void {
    if (this.#used + count > this.#digits.length) this.#refill()
    this.#digits.copy(target, offset, this.#used, this.#used + count)
    this.#used += count
  }

  #refill(): void {
    this.#fill(this.#raw)
    for (let index = 0; index < this.#raw.length; index++) this.#pairs[index] = pairs[this.#raw[index] ?? 0] ?? 0
    this.#used = 0
  }
}
