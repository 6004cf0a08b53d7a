import { hash } from 'node:crypto'
import { Readable } from 'node:stream'
import { serviceProblems, type Routes } from '@ballast/service'
import { isDigest, sha256, type Digest, type EntryName } from '@ballast/state-stores/blob'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Blobs } from '../blobs.ts'
import { takeJsonBodies } from '../json-body.ts'
import type { MessageMetrics } from '../metrics.ts'
import { problems } from '../problems.ts'
import { failureOf, refusal, refusedRemoval, storeFull } from '../refusals.ts'
import { matches } from '../transfer/etag.ts'
import { openForReply } from '../transfer/open-for-reply.ts'
import type { ResponseTurns } from '../transfer/response-turns.ts'
import type { WireFormat } from '../wire-format.ts'
import { answer } from './answer.ts'
import { answerNotFound } from './no-message.ts'
import * as schemas from './schemas.ts'

export interface MessageDeps {
  readonly blobs: Blobs
  readonly turns: ResponseTurns
  readonly metrics: MessageMetrics
  readonly format: WireFormat
  /** Without it a message never goes, and caches may keep it for ever. */
  readonly allowDelete: boolean
  readonly cacheControl: string
}

/** Other families of the same store have names of their own for the same bytes. */
const nameOf = (digest: Digest): EntryName => ({ namespace: 'messages', key: digest })

/** `POST /messages`, `GET` and `DELETE /messages/{sha256}`. */
export const messageRoutes: Routes<MessageDeps> = async (app, deps) => {
  const { blobs, turns, metrics, format, allowDelete, cacheControl } = deps
  takeJsonBodies(app)

  const notFound = (reply: FastifyReply): FastifyReply => answerNotFound(reply, format)

  app.post('/messages', { config: { role: 'writer' }, schema: schemas.post }, async ({ body: { message } }, reply) => {
    if (!message.isWellFormed()) {
      throw problems.create('invalid-message', 'The message has a surrogate without its other half.')
    }
    const bytes = Buffer.from(message)
    const digest = sha256(bytes)
    try {
      const { outcome } = await blobs.put({ name: nameOf(digest), digest }, bytes)
      if (outcome === 'created' || outcome === 'exists') {
        metrics.put(outcome, bytes.length)
        if (outcome === 'created') void reply.header('location', `/messages/${digest}`)
        return answer(reply, outcome === 'created' ? 201 : 200, format.created(digest))
      }
      if (outcome === 'too-large')
        throw serviceProblems.create('body-too-large', 'The message is larger than --max-blob-bytes.')
      if (outcome !== 'full') throw new Error(`a message cannot be ${outcome}`)
    } catch (error) {
      metrics.put(failureOf(error), bytes.length)
      throw refusal(error) ?? error
    }
    metrics.put('full', bytes.length)
    throw storeFull()
  })

  /** True: the client has it, and is told so. */
  const isKnown = (digest: Digest, { headers }: FastifyRequest, reply: FastifyReply): boolean => {
    const etag = `"${digest}"`
    void reply.header('etag', etag).header('cache-control', cacheControl)
    if (!matches(headers['if-none-match'], etag)) return false
    metrics.got('not-modified', 0)
    void reply.code(304).send()
    return true
  }

  const sendWhole = (digest: Digest, bytes: Buffer, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    if (isKnown(digest, request, reply)) return reply
    metrics.got('hit', bytes.length)
    const body = format.message(bytes.toString('utf8'))
    return answer(reply.header('repr-digest', `sha-256=:${hash('sha256', body, 'base64')}:`), 200, body)
  }

  const sendOpened = async (digest: Digest, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    try {
      const opened = await openForReply(turns, request, reply, async () => {
        const blob = await blobs.open(nameOf(digest))
        return blob && { blob }
      })
      if (opened === 'gone') return reply.hijack()
      if (opened === undefined) {
        metrics.got('miss', 0)
        return notFound(reply)
      }
      const { blob } = opened
      if (blob.bytes !== undefined) return sendWhole(digest, blob.bytes, request, reply)
      if (isKnown(digest, request, reply)) {
        await blob.close()
        return reply
      }
      metrics.got('hit', blob.sizeBytes)
      void reply.header('content-type', 'application/json').header('x-content-type-options', 'nosniff')
      if (request.method !== 'HEAD')
        return reply.send(Readable.from(format.messageStream(blob.body()), { objectMode: false }))
      await blob.close()
      return reply.send()
    } catch (error) {
      const problem = refusal(error)
      if (problem?.code === 'message-damaged') metrics.got('damaged', 0)
      throw problem ?? error
    }
  }

  app.get(
    '/messages/:digest',
    { config: { role: 'reader' }, schema: schemas.get, exposeHeadRoute: true },
    (request, reply) => {
      const { digest } = request.params
      if (!isDigest(digest)) return notFound(reply)
      const bytes = turns.hasTurn(request, reply) ? blobs.peek(nameOf(digest)) : undefined
      return bytes === undefined ? sendOpened(digest, request, reply) : sendWhole(digest, bytes, request, reply)
    },
  )

  if (!allowDelete) return
  app.delete(
    '/messages/:digest',
    { config: { role: 'writer' }, schema: schemas.remove },
    async ({ params: { digest } }, reply) => {
      if (!isDigest(digest)) return notFound(reply)
      try {
        const outcome = await blobs.remove(nameOf(digest))
        metrics.deleted(outcome)
        return outcome === 'missing' ? notFound(reply) : answer(reply, 200, format.deleted(digest))
      } catch (error) {
        metrics.deleted(failureOf(error))
        throw refusedRemoval(error) ?? error
      }
    },
  )
}
