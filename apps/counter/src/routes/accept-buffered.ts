import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Static } from 'typebox'
import type { BufferedAdditions } from '../buffered-additions.ts'
import type { AddBody } from '../counter-operation.ts'
import { toInt64 } from '../numbers.ts'
import { split } from '../representation.ts'

const conditional = ['idempotency-key', 'if-match', 'if-none-match'] as const

/**
 * Answers 202 when the addition can be buffered: nothing but an amount, for a counter that is. Whoever says more (a bound,
 * a time to live, a condition, a key) wants an answer that only a durable addition can give.
 */
export function acceptBuffered(
  buffer: BufferedAdditions | undefined,
  { body, headers }: Pick<FastifyRequest, 'headers'> & { body: Static<typeof AddBody> },
  reply: FastifyReply,
  name: string,
) {
  const { by = 1, ...rest } = body
  if (buffer === undefined || Object.keys(rest).length > 0) return undefined
  if (conditional.some((header) => headers[header] !== undefined)) return undefined
  const amount = toInt64(by, 'by')
  if (!buffer.add(name, amount)) return undefined
  const { lossWindowMs } = buffer
  void reply.code(202).header('counter-durability', `buffered; loss-window-ms=${lossWindowMs}`)
  return { ...split(name), accepted: String(amount), lossWindowMs }
}
