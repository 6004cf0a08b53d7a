import { NotAppliedError } from '../outcome.ts'
import type { RedisConnection } from '../redis/connection.ts'
import type { RedisTarget } from '../redis/url.ts'

/** Throws unless what the server answers outlives the server, or the URL says `volatile=yes`. Looked at again with each inspection. */
export function refuseVolatile({ facts }: RedisConnection, { label, parameters }: RedisTarget): void {
  const { volatile } = parameters
  if (volatile !== undefined && volatile !== 'yes') {
    throw new Error(`the Redis URL has volatile=${volatile}: write volatile=yes, or leave it out`)
  }
  if (facts.survivesRestart || volatile === 'yes') return
  throw new NotAppliedError(
    `${label} cannot be used: ${facts.caveat}; or accept that loss with volatile=yes in the URL`,
  )
}
