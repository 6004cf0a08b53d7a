import type { FastifyError, FastifyRequest } from 'fastify'
import { Problem } from '../problems.ts'
import { serviceProblems } from '../service-problems.ts'

type Code = keyof typeof serviceProblems.types

/** What an error becomes outside: only a Problem or a known mistake of the client keeps its words. */
export function toProblem(error: unknown, request: FastifyRequest): Problem {
  if (error instanceof Problem) return error
  if (!isFastifyError(error)) return internal(error)
  if (error.validation !== undefined) return invalid(error)
  const known = codes[error.code]
  if (known !== undefined) return serviceProblems.create(known, detailOf(known, error, request), { cause: error })
  // The client went away in the middle of its body: nobody reads this, but it is no fault of ours to be alarmed by.
  if (error.code === 'ECONNRESET' && !request.raw.complete) {
    return serviceProblems.create('malformed-body', 'The connection ended before the body did.', { cause: error })
  }
  const { statusCode = 500 } = error
  if (statusCode < 400 || statusCode > 499) return internal(error)
  const code = codeOfStatus(statusCode)
  return serviceProblems.create(code, error.message, { cause: error })
}

const codes: Readonly<Record<string, Code>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: 'malformed-body',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'malformed-body',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'malformed-body',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body-too-large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported-media-type',
  FST_ERR_BAD_URL: 'malformed-url',
  FST_ERR_MAX_PARAM_LENGTH: 'url-too-long',
  FST_ERR_HANDLER_TIMEOUT: 'handler-timeout',
}

function detailOf(code: Code, error: FastifyError, { headers, routeOptions }: FastifyRequest): string {
  if (code === 'body-too-large') return `The body may have ${routeOptions.bodyLimit} bytes here.`
  if (code === 'unsupported-media-type') return `${headers['content-type'] ?? 'No content type'} is not taken here.`
  if (code === 'handler-timeout') return 'The answer took too long; whether the request had an effect is not known.'
  if (error.code !== 'FST_ERR_CTP_INVALID_JSON_BODY') return error.message
  const { cause } = error
  return cause instanceof Error ? `The body is not valid JSON: ${cause.message}` : error.message
}

function codeOfStatus(status: number): Code {
  const found = Object.entries(serviceProblems.types).find(([, type]) => type.status === status)?.[0]
  return found !== undefined && isCode(found) ? found : 'invalid-request'
}

function isCode(code: string): code is Code {
  return code in serviceProblems.types
}

function invalid(error: FastifyError): Problem {
  const part = error.validationContext ?? 'body'
  const errors = (error.validation ?? []).map(({ instancePath, message = 'is not valid', params }) => {
    const extra = params['additionalProperty']
    const pointer = typeof extra === 'string' ? `${instancePath}/${extra}` : instancePath
    return { in: part, pointer, message }
  })
  const [first] = errors
  const detail = first === undefined ? error.message : `${part}${first.pointer} ${first.message}`
  return serviceProblems.create('invalid-request', detail, { extensions: { errors }, cause: error })
}

function internal(error: unknown): Problem {
  return serviceProblems.create('internal', 'The error was logged under the trace id of this answer.', { cause: error })
}

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && ['code', 'statusCode', 'validation'].some((key) => key in error)
}
