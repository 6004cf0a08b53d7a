/** Numbers 0 to size - 1, the one with the lowest key first. Equal keys: the lower number. All O(log size). */
export class Heap {
  readonly #keyOf: (item: number) => number
  readonly #items: number[] = []
  /** Where each item is; -1 when it is not in the heap. */
  readonly #places: Int32Array

  constructor(size: number, keyOf: (item: number) => number) {
    this.#keyOf = keyOf
    this.#places = new Int32Array(size).fill(-1)
  }

  get first(): number | undefined {
    return this.#items[0]
  }

  /** Adds the item, or moves it to its place after its key changed. */
  put(item: number): void {
    let place = this.#places[item] ?? -1
    if (place === -1) place = this.#items.push(item) - 1
    this.#settle(item, place)
  }

  has(item: number): boolean {
    return this.#places[item] !== -1
  }

  remove(item: number): void {
    const place = this.#places[item] ?? -1
    if (place === -1) return
    this.#places[item] = -1
    const last = this.#items.pop()
    if (last !== undefined && last !== item) this.#settle(last, place)
  }

  #settle(item: number, from: number): void {
    let place = from
    for (let parent = (place - 1) >> 1; place > 0; parent = (place - 1) >> 1) {
      const other = this.#items[parent] ?? item
      if (!this.#before(item, other)) break
      this.#set(place, other)
      place = parent
    }
    for (;;) {
      let child = 2 * place + 1
      const left = this.#items[child]
      if (left === undefined) break
      const right = this.#items[child + 1]
      const other = right !== undefined && this.#before(right, left) ? right : left
      if (other === right) child++
      if (!this.#before(other, item)) break
      this.#set(place, other)
      place = child
    }
    this.#set(place, item)
  }

  #set(place: number, item: number): void {
    this.#items[place] = item
    this.#places[item] = place
  }

  #before(a: number, b: number): boolean {
    const difference = this.#keyOf(a) - this.#keyOf(b)
    return difference < 0 || (difference === 0 && a < b)
  }
}
