import { hash } from 'node:crypto'
import { Problem } from '@ballast/service'
import type { Token } from '@ballast/state-stores/counter'
import type { Intent } from './counter-operation.ts'
import { problems } from './problems.ts'

/** Names one logical request of one caller; an operation of it makes its token from that. */
export interface RequestKey {
  readonly scope: string
  readonly key: string
}

/**
 * The value of an Idempotency-Key header (draft-ietf-httpapi-idempotency-key-header): a quoted string, or the same
 * without quotes, as most clients send it.
 */
export function readIdempotencyKey(header: string | readonly string[] | undefined): string | undefined {
  if (header === undefined) return undefined
  const key = typeof header === 'string' ? /^"?([\x21\x23-\x7e]{1,255}?)"?$/.exec(header)?.[1] : undefined
  if (key !== undefined) return key
  throw problems.create(
    'invalid-idempotency-key',
    'Send one Idempotency-Key of 1 to 255 visible ASCII characters without quotes inside, such as a UUID.',
  )
}

/** A digest of what is asked for under which key; not of its bytes: `"5"` and `5` ask for the same. */
export function fingerprintOf(key: string, intents: readonly Intent[]): string {
  const asked = JSON.stringify([key, intents], (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  )
  return hash('sha256', asked, 'base64url').slice(0, 22)
}

/**
 * One token per operation. Each has the fingerprint of the whole request, so that no part of another request passes
 * for a part of this one.
 */
export function tokensOf(intents: readonly Intent[], { scope, key }: RequestKey): Token[] {
  const fingerprint = fingerprintOf(key, intents)
  return intents.map((_, index) => ({ scope, key: `${key}/${index}`, fingerprint }))
}

/** What a request gets whose key belongs to one that has no answer yet. */
export const inFlightProblem = (): Problem =>
  problems.create(
    'idempotency-key-in-flight',
    'The first request with this key has no answer yet. Retry for it in a moment.',
    { headers: { 'retry-after': '1' } },
  )

export const isInFlight = (error: unknown): boolean =>
  error instanceof Problem && error.code === 'idempotency-key-in-flight'

/**
 * Requests with a key that this process, or one of those whose store it owns, is serving now. A second one would only
 * wait for the same outcome.
 */
export class InFlight {
  readonly #keys = new Set<string>()

  async run<T>({ scope, key }: RequestKey, serve: () => Promise<T>): Promise<T> {
    const id = `${scope}\n${key}`
    if (this.#keys.has(id)) throw inFlightProblem()
    this.#keys.add(id)
    try {
      return await serve()
    } finally {
      this.#keys.delete(id)
    }
  }
}
