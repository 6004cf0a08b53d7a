import { RedisConnection } from '../redis/connection.ts'
import type { RedisTarget } from '../redis/url.ts'

/**
 * Waits for an entry on a connection of its own, which a blocking command keeps busy. It only looks (XREAD): a
 * consumer that goes away while it waits holds nothing, and the claim that follows can obey its own bounds.
 */
export class RedisDoorbell implements AsyncDisposable {
  readonly #options: { readonly target: RedisTarget; readonly key: string; readonly timeoutMs: number }
  #connection: Promise<RedisConnection> | undefined

  constructor(options: { readonly target: RedisTarget; readonly key: string; readonly timeoutMs: number }) {
    this.#options = options
  }

  /** Resolves when there is an entry behind `last`, when the time is over, or when the signal aborts. */
  async wait(last: string, waitMs: number, signal: AbortSignal | undefined): Promise<void> {
    const { key, timeoutMs } = this.#options
    const connection = await this.#connect()
    if (signal?.aborted === true) return
    const blockMs = Math.max(1, Math.ceil(waitMs))
    const ringing = connection.send(['XREAD', 'COUNT', 1, 'BLOCK', blockMs, 'STREAMS', key, last], blockMs + timeoutMs)
    if (signal === undefined) return void (await ringing)
    const aborted = Promise.withResolvers<void>()
    const abort = (): void => aborted.resolve()
    signal.addEventListener('abort', abort, { once: true })
    try {
      // An abort leaves the command to end by itself; it changes nothing.
      ringing.catch(() => {})
      await Promise.race([ringing, aborted.promise])
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const connection = await this.#connection?.catch(() => undefined)
    await connection?.close()
  }

  #connect(): Promise<RedisConnection> {
    const { target, timeoutMs } = this.#options
    const opening = (this.#connection ??= RedisConnection.open({ target, name: 'ballast-doorbell', timeoutMs }))
    opening.catch(() => (this.#connection = undefined))
    return opening
  }
}
