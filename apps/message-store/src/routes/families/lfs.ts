import { serviceProblems } from '@ballast/service'
import { DamagedBlobError, isDigest, type EntryName } from '@ballast/state-stores/blob'
import type { Blobs } from '../../blobs.ts'
import type { FastifyRequest } from 'fastify'
import { Type, type Static } from 'typebox'
import { Check } from 'typebox/value'
import { problems } from '../../problems.ts'
import { collect, parseJson } from '../../transfer/collect.ts'
import { contentEntry, isInstance } from '../../transfer/names.ts'
import { entryRoutes, paramsOf } from '../../transfer/entry-routes.ts'
import { challengeBasic } from '../../transfer/basic-credentials.ts'
import { takeRawBodies } from '../../transfer/raw-bodies.ts'
import type { FamilyRoutes } from './family.ts'

const mediaType = 'application/vnd.git-lfs+json'

const LfsObject = Type.Object({ oid: Type.String(), size: Type.Integer({ minimum: 0 }) })
type LfsObject = Static<typeof LfsObject>

const Batch = Type.Object({
  operation: Type.Union([Type.Literal('upload'), Type.Literal('download')]),
  hash_algo: Type.Optional(Type.Literal('sha256')),
  objects: Type.Array(LfsObject, { maxItems: 1_000 }),
})

/**
 * Git LFS (`git config lfs.url http://host/lfs/<repository>`): the batch API with the basic transfer, and verify.
 * https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md
 */
export const lfs: FamilyRoutes = async (app, { sender, maxCollectedBytes, publicUrl }) => {
  takeRawBodies(app)
  challengeBasic(app)
  const { blobs } = sender

  entryRoutes(app, sender, {
    url: '/lfs/:repository/objects/:oid',
    family: 'lfs',
    cacheControl: 'no-cache',
    entryOf: ({ repository, oid }) => (isInstance(repository) ? contentEntry(`lfs.${repository}`, oid) : undefined),
  })

  app.post(
    '/lfs/:repository/objects/batch',
    // An upload begins here, but nothing is written, and a reader may ask for downloads.
    { config: { role: 'reader' }, schema: { hide: true } },
    async (request, reply) => {
      const namespace = namespaceOf(request)
      const body = parseJson(await collect(request, maxCollectedBytes))
      if (!Check(Batch, body))
        throw invalid('a batch has operation (upload or download), objects, and hash_algo sha256')
      const names = body.objects.map(({ oid }) => ({ namespace, key: isDigest(oid) ? oid : 'none' }))
      const found = await blobs.stat(names)
      // What is damaged has to be brought again; the client is asked for what seems not to be there.
      const sizes = await Promise.all(
        found.map(async (each, index) => {
          const name = names[index]
          if (each === undefined || name === undefined || body.operation === 'download') return each?.sizeBytes
          return (await isIntact(blobs, name)) ? each.sizeBytes : undefined
        }),
      )
      const base = `${publicUrl ?? `${request.protocol}://${request.host}`}${request.url.replace(/\/batch.*$/, '')}`
      const objects = body.objects.map((object, index) =>
        answerTo(body.operation, object, sizes[index], base, request.headers.authorization),
      )
      return reply
        .type(mediaType)
        .header('cache-control', 'no-store')
        .send(json({ transfer: 'basic', objects, hash_algo: 'sha256' }))
    },
  )

  app.post(
    '/lfs/:repository/objects/verify',
    { config: { role: 'reader' }, schema: { hide: true } },
    async (request, reply) => {
      const namespace = namespaceOf(request)
      const body = parseJson(await collect(request, maxCollectedBytes))
      if (!Check(LfsObject, body) || !isDigest(body.oid)) throw invalid('an object has oid and size')
      const [found] = await blobs.stat([{ namespace, key: body.oid }])
      if (found === undefined) throw serviceProblems.create('not-found', `${body.oid} is not stored.`)
      if (found.sizeBytes !== body.size) throw invalid(`the object has ${found.sizeBytes} bytes, not ${body.size}`)
      return reply.type(mediaType).send(json({}))
    },
  )
}

/** As a buffer: a string would have `charset` added to its type. */
const json = (value: object): Buffer => Buffer.from(JSON.stringify(value))

function answerTo(
  operation: 'upload' | 'download',
  { oid, size }: LfsObject,
  storedBytes: number | undefined,
  base: string,
  authorization: string | undefined,
): object {
  const header = authorization === undefined ? {} : { header: { Authorization: authorization } }
  const action = (path: string): object => ({ href: `${base}/${path}`, ...header })
  if (!isDigest(oid)) return { oid, size, error: { code: 422, message: 'An oid is 64 lower-case hex digits.' } }
  if (storedBytes !== undefined && storedBytes !== size) {
    return { oid, size, error: { code: 422, message: `The object has ${storedBytes} bytes, not ${size}.` } }
  }
  if (operation === 'upload') {
    return storedBytes === undefined
      ? { oid, size, actions: { upload: action(oid), verify: action('verify') } }
      : { oid, size }
  }
  return storedBytes === undefined
    ? { oid, size, error: { code: 404, message: 'The object is not stored.' } }
    : { oid, size, actions: { download: action(oid) } }
}

/** As far as its beginning shows, or is known. */
async function isIntact(blobs: Blobs, name: EntryName): Promise<boolean> {
  try {
    await using blob = await blobs.open(name)
    return blob !== undefined
  } catch (error) {
    if (error instanceof DamagedBlobError) return false
    throw error
  }
}

function namespaceOf(request: FastifyRequest): string {
  const { repository } = paramsOf(request)
  if (isInstance(repository)) return `lfs.${repository}`
  throw problems.create('invalid-name', 'A repository is 1 to 40 of a-z 0-9 . _ -, and no part of a path.')
}

const invalid = (what: string) => serviceProblems.create('invalid-request', `Not as it should be: ${what}.`)
