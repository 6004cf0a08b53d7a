import { key64, mix64 } from './key64.ts'
import { hash32 } from './rendezvous.ts'

/**
 * Maglev hashing (Eisenbud et al., NSDI 2016, section 3.4): a look-up table of `size` entries which the members fill in turn,
 * each in the order of its own permutation.
 *
 * Every member has the same number of entries to within one. Any member may leave: about 1/n of the keys move, and a few of
 * the others' (1-2 % at n = size / 1000). Look-up O(1); building O(size * log size), memory 4 * size bytes.
 */
export class Maglev {
  readonly #names: readonly string[]
  readonly #table: Int32Array

  /**
   * @param names at least one, each once; the order does not matter.
   * @param size a prime, a hundred times as many as names or more.
   */
  constructor(names: readonly string[], size = 65_537) {
    if (names.length === 0 || new Set(names).size !== names.length)
      throw new RangeError('names must be some, each once')
    if (!isPrime(size) || size < names.length) throw new RangeError(`size must be a prime above the names, not ${size}`)
    this.#names = names.toSorted()
    this.#table = fill(this.#names, size)
  }

  /** Entries of the table: numbers of members in order of their names. */
  get table(): Readonly<Int32Array> {
    return this.#table
  }

  /** The member of a key. */
  of(key: string): string {
    return this.#names[this.#table[hash32(key) % this.#table.length] ?? 0] ?? ''
  }
}

function fill(names: readonly string[], size: number): Int32Array {
  const next = names.map((name) => Number(key64(name) % BigInt(size)))
  const skips = names.map((name) => Number(mix64(key64(name) + 1n) % BigInt(size - 1)) + 1)
  const table = new Int32Array(size).fill(-1)
  for (let filled = 0, member = 0; filled < size; filled++, member = (member + 1) % names.length) {
    let entry = next[member] ?? 0
    const skip = skips[member] ?? 1
    while (table[entry] !== -1) entry = (entry + skip) % size
    table[entry] = member
    next[member] = (entry + skip) % size
  }
  return table
}

function isPrime(value: number): boolean {
  if (!Number.isInteger(value) || value < 2) return false
  for (let divisor = 2; divisor * divisor <= value; divisor++) if (value % divisor === 0) return false
  return true
}
