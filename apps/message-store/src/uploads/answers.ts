import { serviceProblems } from '@ballast/service'
import { isDigest, type NewEntry } from '@ballast/state-stores/blob'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Family } from '../metrics.ts'
import { problems } from '../problems.ts'
import { bodyOf } from '../transfer/body.ts'
import type { Stored } from '../transfer/receive.ts'
import type { Uploads } from './uploads.ts'

/** Where an upload belongs, and how it is addressed. */
export interface UploadPlace {
  readonly family: Family
  readonly scope: string
  /** The path of one, without its id. */
  readonly path: string
}

/** The requests of an upload with the statuses and headers of OCI's distribution-spec; `PUT` is up to the caller. */
export class UploadAnswers {
  readonly #uploads: Uploads

  constructor(uploads: Uploads) {
    this.#uploads = uploads
  }

  /** POST */
  async begin({ family, scope, path }: UploadPlace, reply: FastifyReply): Promise<FastifyReply> {
    const id = await this.#uploads.begin(family, scope)
    return this.#progress(reply, path, id, 0).code(202).send()
  }

  /** GET */
  async status({ scope, path }: UploadPlace, id: string, reply: FastifyReply): Promise<FastifyReply> {
    return this.#progress(reply, path, id, await this.#uploads.sizeBytes(id, scope))
      .code(204)
      .send()
  }

  /** PATCH */
  async append(place: UploadPlace, id: string, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { family, scope, path } = place
    const size = await this.#uploads.append(family, id, scope, startOf(request), bodyOf(request))
    return this.#progress(reply, path, id, size).code(202).send()
  }

  /** PUT with ?digest= and perhaps a last piece of body. */
  finish({ family, scope }: UploadPlace, id: string, request: FastifyRequest, entry: NewEntry): Promise<Stored> {
    return this.#uploads.finish(family, id, scope, entry, startOf(request), bodyOf(request))
  }

  /** DELETE */
  async cancel({ scope }: UploadPlace, id: string, reply: FastifyReply): Promise<FastifyReply> {
    await this.#uploads.cancel(id, scope)
    return reply.code(204).send()
  }

  #progress(reply: FastifyReply, path: string, id: string, sizeBytes: number): FastifyReply {
    return reply
      .header('location', `${path}/${id}`)
      .header('range', `0-${Math.max(0, sizeBytes - 1)}`)
      .header('docker-upload-uuid', id)
      .header('cache-control', 'no-store')
  }
}

/** `?digest=sha256:<hex>` (or only the hex), as hex. */
export function digestOf({ query }: FastifyRequest): string {
  const given: unknown = typeof query === 'object' && query !== null && 'digest' in query ? query.digest : undefined
  const digest = typeof given === 'string' ? given.replace(/^sha256:/, '') : ''
  if (isDigest(digest)) return digest
  throw problems.create('invalid-name', 'The parameter digest is sha256: and 64 lower-case hex digits.')
}

function startOf({ headers }: FastifyRequest): number | undefined {
  const range = headers['content-range']
  if (range === undefined) return undefined
  const [, start, end] = /^(?:bytes )?(\d{1,15})-(\d{1,15})(?:\/(?:\d+|\*))?$/.exec(range) ?? []
  const length = headers['content-length']
  if (start === undefined || (length !== undefined && Number(length) !== Number(end) - Number(start) + 1)) {
    throw serviceProblems.create('invalid-request', 'Content-Range is <first byte>-<last byte>, as long as the body.')
  }
  return Number(start)
}
