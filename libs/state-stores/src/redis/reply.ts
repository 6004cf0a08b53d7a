import type { RedisReply } from './connection.ts'

/** Replies as what a script or command is known to answer; anything else is a broken assumption and throws. */
export function asList(reply: RedisReply | undefined): readonly RedisReply[] {
  if (Array.isArray(reply)) return reply
  throw new TypeError(`expected a list from Redis, got ${describe(reply)}`)
}

export function asBytes(reply: RedisReply | undefined): Buffer {
  if (Buffer.isBuffer(reply)) return reply
  throw new TypeError(`expected bytes from Redis, got ${describe(reply)}`)
}

export const asText = (reply: RedisReply | undefined): string => asBytes(reply).toString()

export function asNumber(reply: RedisReply | undefined): number {
  const number = typeof reply === 'number' ? reply : Number(asText(reply))
  if (Number.isNaN(number)) throw new TypeError(`expected a number from Redis, got ${describe(reply)}`)
  return number
}

/** A flat list of names and values. */
export function asRecord(reply: RedisReply | undefined): Map<string, Buffer> {
  const list = asList(reply)
  return new Map(
    Array.from({ length: list.length >> 1 }, (_, index) => [asText(list[2 * index]), asBytes(list[2 * index + 1])]),
  )
}

function describe(reply: RedisReply | undefined): string {
  return reply === null ? 'nothing' : Buffer.isBuffer(reply) ? 'bytes' : Array.isArray(reply) ? 'a list' : typeof reply
}

/** What the driver returns; a type that is not Redis's rejects. */
export function toReply(reply: unknown): RedisReply {
  if (reply === null || typeof reply === 'number' || Buffer.isBuffer(reply)) return reply
  if (Array.isArray(reply)) return reply.map(toReply)
  if (typeof reply === 'string') return Buffer.from(reply)
  throw new TypeError(`a reply of type ${typeof reply} was not expected`)
}
