import { Ajv, type Options } from 'ajv'
import formats from 'ajv-formats'
import type { FastifySchemaCompiler } from 'fastify'

/**
 * Bodies are taken as they are: `"5"` is no number. Parameters, query and headers are text by nature and are converted.
 * One error is reported, not all: collecting them lets a large hostile body fill memory (Fastify's own advice).
 */
export function createValidatorCompiler(): FastifySchemaCompiler<object> {
  const strict = createAjv({ coerceTypes: false, removeAdditional: false })
  const lenient = createAjv({ coerceTypes: 'array', removeAdditional: false })
  return ({ schema, httpPart }) => (httpPart === 'body' ? strict : lenient).compile(schema)
}

function createAjv(options: Options): Ajv {
  // Schemas are TypeBox's. To look whether they are any, each process would first compile the schema of schemas, twice: 80 ms of its start.
  const ajv = new Ajv({ useDefaults: true, allErrors: false, strict: false, validateSchema: false, ...options })
  formats.default(ajv)
  return ajv
}
