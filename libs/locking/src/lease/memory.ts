import type { Fence, LeaseCall, LeaseClaim, LeaseStore, Taken } from './port.ts'
import { release, renew, take, type Changed, type LeaseRecord } from './record.ts'

/** Leases between users of one object, for tests and for programs of one process. */
export class MemoryLeaseStore implements LeaseStore {
  readonly name = 'memory'
  readonly #nowMs: () => number
  readonly #records = new Map<string, LeaseRecord>()

  constructor({ nowMs = () => performance.now() }: { nowMs?: () => number } = {}) {
    this.#nowMs = nowMs
  }

  async take(key: string, claim: LeaseClaim): Promise<Taken> {
    const record = this.#records.get(key)
    const nowMs = this.#nowMs()
    return this.#apply(key, take(record, claim, nowMs, (record?.expiresAtMs ?? 0) - nowMs))
  }

  async renew(key: string, fence: Fence, { ttlMs }: LeaseCall): Promise<boolean> {
    return this.#apply(key, renew(this.#records.get(key), fence, ttlMs, this.#nowMs()))
  }

  async release(key: string, nonce: string): Promise<boolean> {
    return this.#apply(key, release(this.#records.get(key), nonce))
  }

  /** The current fence, for stores that keep their data in this process and check it as they write. */
  currentFence(key: string): Fence | undefined {
    const record = this.#records.get(key)
    return record === undefined || record.nonce === '' ? undefined : { epoch: record.epoch, nonce: record.nonce }
  }

  /** As a server that has lost its data. */
  forget(key: string): void {
    this.#records.delete(key)
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #apply<T>(key: string, { record, answer }: Changed<T>): T {
    if (record !== undefined) this.#records.set(key, record)
    return answer
  }
}
