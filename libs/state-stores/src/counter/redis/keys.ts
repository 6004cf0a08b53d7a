import type { CounterName } from '../port.ts'

/** Every key has the same hash tag, so all of a batch are in one slot. */
export interface RedisKeys {
  /** Hash: format, version (the highest given), now (the latest time seen). */
  readonly meta: string
  /** Sorted set, by name. */
  readonly names: string
  /** Sorted set: names of counters that will expire, by when. */
  readonly expiring: string
  /** Hash: token to `expiry|outcome|fingerprint`. */
  readonly tokens: string
  /** Sorted set: tokens by expiry. */
  readonly tokenExpiries: string
  /** Hash: value, version, expiry. */
  counter(this: void, name: CounterName): string
  /** String: the answer to a batch, or `void`. */
  batch(this: void, id: string): string
}

export function redisKeys(prefix: string): RedisKeys {
  const root = `{${prefix}}`
  return {
    meta: `${root}:meta`,
    names: `${root}:names`,
    expiring: `${root}:expiring`,
    tokens: `${root}:tokens`,
    tokenExpiries: `${root}:token-expiries`,
    counter: (name) => `${root}:counter:${name}`,
    batch: (id) => `${root}:batch:${id}`,
  }
}
