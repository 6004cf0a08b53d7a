import type { CounterOutcome } from '@ballast/state-stores/counter'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { withCondition, type Intent } from '../counter-operation.ts'
import { readIdempotencyKey } from '../idempotency.ts'
import { entityTag, writeCondition } from '../preconditions.ts'
import { refusalProblem } from '../refusals.ts'
import type { Writer } from '../writer.ts'

/** One operation, with the headers that every write understands; throws the problem of a refusal. */
export async function writeOne(
  writer: Writer,
  request: FastifyRequest,
  reply: FastifyReply,
  intent: Intent,
): Promise<CounterOutcome & { ok: true }> {
  const { op } = intent
  const key = readIdempotencyKey(request.headers['idempotency-key'])
  // The scope holds the counter: the same key for two counters is two keys.
  const scope = `${request.principal.name} ${op.name}`
  const conditional = withCondition(intent, writeCondition(request.headers))
  const [outcome] = await writer.write(
    [conditional],
    key === undefined ? undefined : { scope, key },
    request.principal.name,
  )
  if (outcome === undefined) throw new TypeError('the store answered nothing')
  void reply.header('counter-durability', writer.durability)
  if (!outcome.ok) throw refusalProblem(op.name, outcome)
  if (outcome.replayed) void reply.header('idempotency-replayed', 'true')
  if (op.kind !== 'remove') void reply.header('etag', entityTag(outcome.version))
  return outcome
}
