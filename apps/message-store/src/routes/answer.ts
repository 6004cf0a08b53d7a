import type { FastifyReply } from 'fastify'

const asItIs = (body: string): string => body

/**
 * A body of the contract, byte for byte. As a string, because head and body then leave in one write; with a serializer,
 * because to the type of a string `charset` would be added, which the original does not have.
 */
export function answer(reply: FastifyReply, status: number, body: string): FastifyReply {
  return reply
    .code(status)
    .header('content-type', 'application/json')
    .header('x-content-type-options', 'nosniff')
    .serializer(asItIs)
    .send(body)
}
