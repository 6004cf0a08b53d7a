import type { Fence, LeaseClaim, Taken } from './port.ts'

/** What stores without a language of their own keep of a key. It stays when the lease is over, for its epoch. */
export interface LeaseRecord {
  readonly epoch: bigint
  /** Empty: released. */
  readonly nonce: string
  readonly holder: string
  readonly ttlMs: number
  /** On the store's clock. */
  readonly expiresAtMs: number
}

export interface Changed<T> {
  readonly record: LeaseRecord | undefined
  readonly answer: T
}

/** `freeInMs`: what is left of the present holder's time, as the store sees it. */
export function take(
  record: LeaseRecord | undefined,
  { nonce, holder, ttlMs }: LeaseClaim,
  nowMs: number,
  freeInMs: number,
): Changed<Taken> {
  const mine = record?.nonce === nonce
  if (record !== undefined && record.nonce !== '' && !mine && freeInMs > 0) {
    return { record, answer: { taken: false, holder: record.holder, freeInMs } }
  }
  const epoch = mine ? record.epoch : (record?.epoch ?? 0n) + 1n
  return {
    record: { epoch, nonce, holder, ttlMs, expiresAtMs: nowMs + ttlMs },
    answer: { taken: true, epoch },
  }
}

export function renew(record: LeaseRecord | undefined, fence: Fence, ttlMs: number, nowMs: number): Changed<boolean> {
  if (record === undefined || record.epoch !== fence.epoch || record.nonce !== fence.nonce) {
    return { record, answer: false }
  }
  const expiresAtMs = Math.max(record.expiresAtMs, nowMs + ttlMs)
  return { record: { ...record, ttlMs: expiresAtMs - nowMs, expiresAtMs }, answer: true }
}

export function release(record: LeaseRecord | undefined, nonce: string): Changed<boolean> {
  if (record === undefined || record.nonce !== nonce) return { record, answer: false }
  return { record: { ...record, nonce: '', expiresAtMs: 0 }, answer: true }
}
