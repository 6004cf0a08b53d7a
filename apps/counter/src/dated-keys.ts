import { problems } from './problems.ts'

/** How far the clock of a client may be off; a quarter of a short window. */
const longestSkewMs = 60_000

const uuidV7 = /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i

/**
 * Takes only keys that tell when they were made (UUIDv7, RFC 9562), and none that is so old that it could have been used
 * and forgotten: the repetition of a request that comes after the window would be applied a second time. A key is kept
 * for the window from its first use, which is not before it was made; so one that is younger is known if it was used.
 * Throws the problem; `nowMs` is by the store's clock.
 */
export function refuseUndated(key: string, nowMs: number, windowMs: number): void {
  const [, high = '', low = ''] = uuidV7.exec(key) ?? []
  const skewMs = Math.min(longestSkewMs, windowMs / 4)
  const ageMs = nowMs - Number.parseInt(`${high}${low}`, 16)
  if (Number.isNaN(ageMs)) {
    throw problems.create('invalid-idempotency-key', 'This service takes only a UUIDv7 as Idempotency-Key.')
  }
  if (ageMs < -skewMs) {
    const detail = `The Idempotency-Key was made ${-ageMs} ms from now: set the clock of this client.`
    throw problems.create('invalid-idempotency-key', detail)
  }
  if (ageMs > windowMs - skewMs) {
    throw problems.create(
      'idempotency-key-expired',
      `The Idempotency-Key was made ${ageMs} ms ago, and whether it was used is known for ${windowMs - skewMs} ms. Read the counter, then decide whether to send the request under a fresh key.`,
    )
  }
}
