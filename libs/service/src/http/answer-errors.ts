import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Problem } from '../problems.ts'
import { toProblem } from './to-problem.ts'
import { traceOf } from './traced-message.ts'

/** How a problem becomes an answer. */
export type AnswerProblem = (problem: Problem, request: FastifyRequest, reply: FastifyReply) => void

/** An error handler that turns any error into a problem, logs the ones that are our fault, and answers. */
export function errorHandler(answer: AnswerProblem) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const problem = toProblem(error, request)
    const facts = { code: problem.code, method: request.method, url: request.url }
    if (problem.code === 'internal') request.log.error({ ...facts, err: error }, sentenceOf(error))
    else if (problem.status >= 500) request.log.warn({ ...facts, err: error }, problem.message)
    else request.log.debug(facts, problem.message)
    answer(problem, request, reply)
  }
}

/** RFC 9457. The body is a string, so that no response schema of the route can thin it out. */
export const sendProblem: AnswerProblem = (problem, request, reply) => {
  const body = problem.body(request.url.split('?', 1)[0], traceOf(request.raw).traceId)
  void reply.code(problem.status).headers(problem.headers).type('application/problem+json').send(JSON.stringify(body))
}

function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
