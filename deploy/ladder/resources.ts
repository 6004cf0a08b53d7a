/**
 * What a level has started. It is taken away once, the youngest first, whoever asks first: the end of the level, its failure, or a signal.
 * A container, a mount and a network namespace outlive the process that made them, so that its exit is not enough.
 */
export class Resources {
  readonly #stack = new AsyncDisposableStack()
  readonly #ending = new AbortController()
  #ended: Promise<void> | undefined

  /** Aborted when the end begins: for programs that do something for a while and leave nothing. */
  get ending(): AbortSignal {
    return this.#ending.signal
  }

  /** Rejects, with this one taken away as well, where the others already are: what was told to end starts nothing more. */
  async use<T extends AsyncDisposable>(resource: T): Promise<T> {
    if (this.#ended !== undefined) {
      await resource[Symbol.asyncDispose]()
      throw new Error('interrupted')
    }
    return this.#stack.use(resource)
  }

  /** Resolves when everything is gone. One that cannot be taken away does not keep the others; it rejects in the end. */
  end(): Promise<void> {
    this.#ending.abort()
    this.#ended ??= this.#stack.disposeAsync()
    return this.#ended
  }
}
