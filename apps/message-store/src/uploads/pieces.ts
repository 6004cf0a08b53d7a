/** A stream of bytes that is taken in parts of stated sizes. */
export class Pieces {
  readonly #source: AsyncIterator<Uint8Array>
  #left: Uint8Array | undefined

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  async ended(): Promise<boolean> {
    while (this.#left === undefined) {
      const next = await this.#source.next()
      if (next.done === true) return true
      if (next.value.length > 0) this.#left = next.value
    }
    return false
  }

  async *take(limitBytes: number): AsyncGenerator<Uint8Array> {
    for (let taken = 0; taken < limitBytes && !(await this.ended());) {
      const piece = this.#left ?? new Uint8Array()
      const part = piece.subarray(0, limitBytes - taken)
      this.#left = part.length === piece.length ? undefined : piece.subarray(part.length)
      taken += part.length
      yield part
    }
  }
}
