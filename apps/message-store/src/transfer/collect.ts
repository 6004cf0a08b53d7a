import { serviceProblems } from '@ballast/service'
import type { FastifyRequest } from 'fastify'
import { bodyOf } from './body.ts'

/** A body that has to be looked at as a whole. */
export async function collect(request: FastifyRequest, limitBytes: number): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  let sizeBytes = 0
  for await (const piece of bodyOf(request)) {
    sizeBytes += piece.length
    if (sizeBytes > limitBytes) {
      throw serviceProblems.create('body-too-large', `The body may have ${limitBytes} bytes here.`)
    }
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

/** Throws `malformed-body`. */
export function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw serviceProblems.create('malformed-body', 'The body is not JSON in UTF-8.', { cause })
  }
}
