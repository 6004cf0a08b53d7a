import type { Routes } from '@ballast/service'
import { DamagedBlobError, type EntryName } from '@ballast/state-stores/blob'
import { Type } from 'typebox'
import { refuseEncodedBodies } from '../json-body.ts'
import { problems } from '../problems.ts'
import { unreadable } from '../refusals.ts'
import { storing } from '../transfer/receive.ts'
import type { Sender } from '../transfer/send.ts'
import { isEmpty } from './content.ts'

const Digest = Type.String({ pattern: '^[0-9a-f]{64}$', description: 'SHA-256 in 64 lower-case hex digits.' })
const Digests = Type.Object({ digests: Type.Array(Digest, { minItems: 1, maxItems: 10_000 }) })
const Found = Type.Object({ digest: Digest, sizeBytes: Type.Integer() })
const Base64 = Type.String({ contentEncoding: 'base64' })

const stat = {
  summary: 'Which of these are stored',
  body: Digests,
  response: { 200: Type.Object({ found: Type.Array(Found), missing: Type.Array(Digest) }) },
}

const get = {
  summary: 'Read many small blobs',
  description:
    'In the order asked for; what would make the answer larger than a request may be is `too-large`: ask for it alone.',
  body: Digests,
  response: {
    200: Type.Object({
      blobs: Type.Array(Type.Object({ digest: Digest, status: Type.String(), base64: Type.Optional(Base64) })),
    }),
  },
}

const put = {
  summary: 'Store many small blobs',
  description:
    'Each for itself, in one commit with whoever else is writing. Answers one status per blob, in order: `created`, `exists`, or the code of a problem.',
  body: Type.Object({
    blobs: Type.Array(Type.Object({ digest: Digest, base64: Base64 }), { minItems: 1, maxItems: 10_000 }),
  }),
  response: { 200: Type.Object({ blobs: Type.Array(Type.Object({ digest: Digest, status: Type.String() })) }) },
}

const list = {
  summary: 'All digests, in pages',
  querystring: Type.Object({
    after: Type.Optional(Type.String({ maxLength: 2_048, description: 'The `next` of the page before.' })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000, default: 1_000 })),
  }),
  response: { 200: Type.Object({ entries: Type.Array(Found), next: Type.Optional(Type.String()) }) },
}

const nameOf = (digest: string): EntryName => ({ namespace: 'cas', key: digest })

/** `/cas` as a list, and many small blobs in one request. */
export const casBatchRoutes: Routes<{ readonly sender: Sender; readonly maxAnswerBytes: number }> = async (
  app,
  { sender, maxAnswerBytes },
) => {
  const { blobs, metrics } = sender
  refuseEncodedBodies(app)

  app.get('/cas', { config: { role: 'reader' }, schema: list }, async ({ query: { after, limit = 1_000 } }, reply) => {
    void reply.header('cache-control', 'no-store')
    const { entries, next } = await blobs.scan('cas', after, limit)
    return {
      entries: entries.map(({ digest, sizeBytes }) => ({ digest, sizeBytes })),
      ...(next === undefined ? {} : { next }),
    }
  })

  app.post('/cas/batch/stat', { config: { role: 'reader' }, schema: stat }, async ({ body: { digests } }) => {
    const stats = await blobs.stat(digests.map(nameOf))
    const sizes = digests.map((digest, index) => (isEmpty({ digest }) ? 0 : stats[index]?.sizeBytes))
    return {
      found: digests.flatMap((digest, index) => {
        const sizeBytes = sizes[index]
        return sizeBytes === undefined ? [] : [{ digest, sizeBytes }]
      }),
      missing: digests.filter((_, index) => sizes[index] === undefined),
    }
  })

  app.post('/cas/batch/get', { config: { role: 'reader' }, schema: get }, async ({ body: { digests } }) => {
    let leftBytes = maxAnswerBytes
    const read = async (digest: string): Promise<{ status: string; base64?: string }> => {
      try {
        await using blob = await blobs.open(nameOf(digest))
        if (blob === undefined) return isEmpty({ digest }) ? { status: 'ok', base64: '' } : { status: 'missing' }
        if (blob.sizeBytes > leftBytes) return { status: 'too-large' }
        leftBytes -= blob.sizeBytes
        const pieces: Buffer[] = []
        for await (const piece of blob.body()) pieces.push(piece)
        metrics.got('hit', blob.sizeBytes, 'cas')
        return { status: 'ok', base64: Buffer.concat(pieces).toString('base64') }
      } catch (error) {
        if (!(error instanceof DamagedBlobError)) throw unreadable(error) ?? error
        metrics.got('damaged', 0, 'cas')
        return { status: 'damaged' }
      }
    }
    const answer: { digest: string; status: string; base64?: string }[] = []
    for (const digest of digests) answer.push({ digest, ...(await read(digest)) })
    return { blobs: answer }
  })

  app.post('/cas/batch/put', { config: { role: 'writer' }, schema: put }, async ({ body }) => {
    const answer = body.blobs.map(async ({ digest, base64 }) => {
      try {
        const entry = { name: nameOf(digest), digest }
        const { outcome } = await storing(metrics, 'cas', () => blobs.put(entry, Buffer.from(base64, 'base64')))
        return { digest, status: outcome }
      } catch (error) {
        const problem = error instanceof Error && 'code' in error ? String(error.code) : ''
        if (problem in problems.types) return { digest, status: problem }
        throw error
      }
    })
    return { blobs: await Promise.all(answer) }
  })
}
