import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'

/** Hijacks a reply, for an answer without an end; what is set of its head so far (request id, traceparent) goes along. */
export function takeOver(reply: FastifyReply): ServerResponse {
  const headers = reply.getHeaders()
  const { raw } = reply.hijack()
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) raw.setHeader(name, value)
  return raw
}
