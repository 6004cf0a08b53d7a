import type { Writable } from 'node:stream'

/**
 * Lines to a stream whose reader may go away (`npm start | head`): what is written afterwards is dropped, and the
 * services go on.
 */
export class LineOutput {
  readonly #stream: Writable
  #open = true

  constructor(stream: Writable, onGone: () => void = () => {}) {
    this.#stream = stream
    stream.on('error', () => {
      if (this.#open) onGone()
      this.#open = false
    })
  }

  line(text: string): void {
    if (this.#open) this.#stream.write(`${text}\n`)
  }
}
