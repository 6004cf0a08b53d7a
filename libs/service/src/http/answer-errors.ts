import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { Problem } from '../problems.ts'
import { serviceProblems } from '../service-problems.ts'
import { traceOf } from './traced-message.ts'

/** Answers any error with problem+json, and logs the ones that are our fault. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const problem = toProblem(error)
  if (problem.status >= 500) {
    const level = problem.code === 'internal' ? 'error' : 'warn'
    request.log[level]({ err: error, code: problem.code, method: request.method, url: request.url }, problem.message)
  } else {
    request.log.debug({ code: problem.code, method: request.method, url: request.url }, problem.message)
  }
  sendProblem(problem, request, reply)
}

/** Sends a problem as it is. The body is a string, so that no response schema of the route can thin it out. */
export function sendProblem(problem: Problem, request: FastifyRequest, reply: FastifyReply): void {
  const body = problem.body(request.url.split('?', 1)[0], traceOf(request.raw).traceId)
  void reply.code(problem.status).headers(problem.headers).type('application/problem+json').send(JSON.stringify(body))
}

/** What an error becomes outside: only a Problem or a known client's mistake keeps its words. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (!isFastifyError(error)) return internal(error)
  if (error.validation !== undefined) return invalid(error)
  const code = codes[error.code]
  if (code !== undefined) return serviceProblems.create(code, sentence(error), { cause: error })
  // A client error thrown by a plugin (@fastify/sensible style) keeps its status, in the nearest general code.
  const status = error.statusCode ?? 500
  if (status < 400 || status >= 500) return internal(error)
  return new Problem('invalid-request', { status, title: 'The request cannot be served' }, error.message, {
    cause: error,
  })
}

const codes: Readonly<Record<string, keyof typeof serviceProblems.types>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: 'malformed-body',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'malformed-body',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'malformed-body',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body-too-large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported-media-type',
  FST_ERR_BAD_URL: 'malformed-url',
  FST_ERR_MAX_PARAM_LENGTH: 'url-too-long',
  FST_ERR_HANDLER_TIMEOUT: 'handler-timeout',
}

function invalid(error: FastifyError): Problem {
  const part = error.validationContext ?? 'body'
  const errors = (error.validation ?? []).map(({ instancePath, message = 'is not valid', params }) => {
    const extra = params['additionalProperty']
    const pointer = typeof extra === 'string' ? `${instancePath}/${extra}` : instancePath
    return { in: part, pointer, message }
  })
  const first = errors[0]
  const detail = first === undefined ? error.message : `${part}${first.pointer} ${first.message}`
  return serviceProblems.create('invalid-request', detail, { extensions: { errors }, cause: error })
}

function internal(error: unknown): Problem {
  return serviceProblems.create('internal', 'The error was logged under the trace id of this answer.', { cause: error })
}

function sentence(error: FastifyError): string {
  if (error.code !== 'FST_ERR_CTP_INVALID_JSON_BODY') return error.message
  const { cause } = error
  return cause instanceof Error ? `The body is not valid JSON: ${cause.message}` : 'The body is not valid JSON.'
}

function isFastifyError(error: unknown): error is FastifyError {
  return (
    error instanceof Error &&
    (('code' in error && typeof error.code === 'string') || 'validation' in error || 'statusCode' in error)
  )
}
