/**
 * A server's clock as this process knows it: what it said last, carried on by the monotonic clock. Off by at most the
 * round trip in which it was learnt.
 */
export class StoreClock {
  #offsetMs = performance.timeOrigin

  /** The server said `storeMs` in answer to what was sent at `sentMs` (of `performance.now()`). */
  learn(storeMs: number, sentMs: number): void {
    this.#offsetMs = storeMs - (sentMs + performance.now()) / 2
  }

  nowMs(): number {
    return Math.floor(performance.now() + this.#offsetMs)
  }
}
