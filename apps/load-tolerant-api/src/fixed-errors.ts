import { Problem } from '@ballast/service'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { problems } from './problems.ts'

/** The error body of the assessment, `{"status":"error","message":...}`, for this service's own problems; others go the usual way. */
export function answerFixedError(error: FastifyError, _request: FastifyRequest, reply: FastifyReply): void {
  if (!(error instanceof Problem) || !(error.code in problems.types)) throw error
  void reply
    .code(error.status)
    .headers(error.headers)
    .type('application/json; charset=utf-8')
    .send(JSON.stringify({ status: 'error', message: error.message }))
}
