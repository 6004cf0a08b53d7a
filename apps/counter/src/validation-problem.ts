import type { FastifySchemaValidationError, SchemaErrorDataVar } from 'fastify/types/schema.js'
import { problems } from './problems.ts'

/** Names and numbers have codes of their own; every other mistake is the `invalid-request` of all services. */
export function validationProblem(errors: FastifySchemaValidationError[], part: SchemaErrorDataVar): Error {
  const path = errors[0]?.instancePath ?? ''
  const field = path.slice(path.lastIndexOf('/') + 1)
  if (field === 'name' || field === 'namespace') {
    return problems.create(
      'invalid-name',
      `${part}${path} must be 1 to 128 characters of A-Z a-z 0-9 . _ : -, and neither "." nor "..".`,
    )
  }
  if (['by', 'min', 'max', 'value', 'ifVersion'].includes(field)) {
    return problems.create(
      'invalid-number',
      `${part}${path} must be a whole number: a JSON number up to 2^53 - 1, or a string of up to 19 digits.`,
    )
  }
  return new Error('the request does not match the schema')
}
