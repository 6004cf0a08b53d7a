import type { CounterName } from './port.ts'

/** A chunk that has grown to this is split in two. */
const mostOfChunk = 1_024

/**
 * Names in order, as sorted chunks in order: one that comes or goes moves its neighbours in one chunk, about a
 * microsecond among a million, where sorting all of them anew would take most of a second of every writer's time.
 */
export class SortedNames {
  /** None is empty. */
  readonly #chunks: CounterName[][] = []

  /** O(n log n). */
  constructor(names: Iterable<CounterName>) {
    const sorted = [...names].toSorted()
    for (let begin = 0; begin < sorted.length; begin += mostOfChunk / 2) {
      this.#chunks.push(sorted.slice(begin, begin + mostOfChunk / 2))
    }
  }

  /** Of a name that is there already nothing comes. */
  add(name: CounterName): void {
    const at = this.#chunkOf(name)
    const chunk = this.#chunks[at]
    if (chunk === undefined) {
      this.#chunks.push([name])
      return
    }
    const index = firstThat(chunk, (each) => each >= name)
    if (chunk[index] === name) return
    chunk.splice(index, 0, name)
    if (chunk.length >= mostOfChunk) this.#chunks.splice(at + 1, 0, chunk.splice(mostOfChunk / 2))
  }

  delete(name: CounterName): void {
    const at = this.#chunkOf(name)
    const chunk = this.#chunks[at] ?? []
    const index = firstThat(chunk, (each) => each >= name)
    if (chunk[index] !== name) return
    chunk.splice(index, 1)
    if (chunk.length === 0) this.#chunks.splice(at, 1)
  }

  /** All that are behind `after` and not before `prefix`. None may come or go meanwhile. */
  *from(prefix: string, after: CounterName): Generator<CounterName> {
    for (let at = this.#chunkOf(after > prefix ? after : prefix); at < this.#chunks.length; at++) {
      const chunk = this.#chunks[at] ?? []
      const begin = firstThat(chunk, (name) => name > after && name >= prefix)
      for (let index = begin; index < chunk.length; index++) yield chunk[index] ?? ''
    }
  }

  /** The last chunk that does not begin behind the name, or the first one. */
  #chunkOf(name: CounterName): number {
    return Math.max(0, firstThat(this.#chunks, ([first = '']) => first > name) - 1)
  }
}

/** The index of the first item that fits, where all behind one that fits do too. */
function firstThat<T>(items: readonly T[], fits: (item: T) => boolean): number {
  let [low, high] = [0, items.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const item = items[middle]
    if (item !== undefined && fits(item)) high = middle
    else low = middle + 1
  }
  return low
}
