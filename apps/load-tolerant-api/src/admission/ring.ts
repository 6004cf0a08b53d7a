/**
 * A queue with two ends in an array that is used round and round; each step takes constant time.
 *
 * A place that was left is empty, and so is an array that became too small: garbage that has grown old and still points to what is
 * young keeps it alive, and all that hangs on it, until the next full collection (nepotism of generational collectors). With
 * thousands of requests a second in a `Set`, or in an array whose front is cut off, none of them dies young.
 */
export class Ring<Item> {
  #items: (Item | undefined)[] = Array.from({ length: 16 })
  #head = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  get oldest(): Item | undefined {
    return this.#items[this.#head]
  }

  push(item: Item): void {
    if (this.#size === this.#items.length) this.#grow()
    this.#items[this.#place(this.#size)] = item
    this.#size++
  }

  takeOldest(): Item | undefined {
    const item = this.#leave(this.#head)
    if (item !== undefined) this.#head = this.#place(1)
    return item
  }

  takeNewest(): Item | undefined {
    return this.#size === 0 ? undefined : this.#leave(this.#place(this.#size - 1))
  }

  #leave(place: number): Item | undefined {
    const item = this.#items[place]
    if (item === undefined) return undefined
    this.#items[place] = undefined
    this.#size--
    return item
  }

  /** The length is a power of two. */
  #place(offset: number): number {
    return (this.#head + offset) & (this.#items.length - 1)
  }

  #grow(): void {
    const items = this.#items
    this.#items = Array.from({ length: 2 * items.length }, (_, offset) =>
      offset < this.#size ? items[this.#place(offset)] : undefined,
    )
    this.#head = 0
    items.fill(undefined)
  }
}
