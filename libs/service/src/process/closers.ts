export interface Closer {
  readonly name: string
  readonly close: () => unknown
}

/** What must be closed when the process ends: in reverse order of its opening, each even if the one before failed. */
export class Closers {
  readonly #closers: Closer[] = []
  /** What is being closed right now; for the line about what hung. */
  current: string | undefined

  add(name: string, close: () => unknown): void {
    this.#closers.push({ name, close })
  }

  /** Calls `failed` for each that throws; returns whether none did. */
  async closeAll(failed: (name: string, error: unknown) => void): Promise<boolean> {
    let clean = true
    for (let closer = this.#closers.pop(); closer !== undefined; closer = this.#closers.pop()) {
      this.current = closer.name
      try {
        await closer.close()
      } catch (error) {
        clean = false
        failed(closer.name, error)
      }
    }
    this.current = undefined
    return clean
  }
}
