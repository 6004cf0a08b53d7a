import { serviceProblems } from '@ballast/service'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { problems } from '../../problems.ts'
import { failureOf, refusedRemoval } from '../../refusals.ts'
import { paramsOf } from '../../transfer/entry-routes.ts'
import { challengeBasic } from '../../transfer/basic-credentials.ts'
import { takeRawBodies } from '../../transfer/raw-bodies.ts'
import { receive, storing } from '../../transfer/receive.ts'
import { send, type Sender } from '../../transfer/send.ts'
import { digestOf, UploadAnswers, type UploadPlace } from '../../uploads/answers.ts'
import type { FamilyRoutes } from './family.ts'
import { answerAsOci } from './oci/errors.ts'
import { Manifests } from './oci/manifests.ts'
import { hexOf, ociName, targetOf, type OciTarget } from './oci/names.ts'

/**
 * An OCI registry: blobs, manifests, tags, and uploads that go on after a cut. No token server: with credentials, log
 * in by any name, with the token as password. https://github.com/opencontainers/distribution-spec/blob/main/spec.md
 */
export const oci: FamilyRoutes = async (app, { sender, uploads, allowDelete }) => {
  takeRawBodies(app)
  challengeBasic(app)
  answerAsOci(app)
  const answers = new UploadAnswers(uploads)
  const manifests = new Manifests(sender)
  app.addHook('onRequest', (_request, reply, done) => {
    void reply.header('docker-distribution-api-version', 'registry/2.0')
    done()
  })

  for (const url of ['/v2', '/v2/']) {
    app.get(url, { config: { role: 'reader' }, schema: { hide: true } }, async (_request, reply) => reply.send({}))
  }

  const read = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const target = targetOrThrow(request)
    const { kind, repository } = target
    if (kind === 'tags') return tagPage(await manifests.tags(repository), repository, request, reply)
    if (kind === 'upload') return answers.status(placeOf(repository), target.id, reply)
    if (kind === 'manifest') return manifests.get(repository, target.reference, request, reply)
    if (kind === 'begin') throw unsupported(request)
    void reply.header('docker-content-digest', `sha256:${target.digest}`)
    const sending = { family: 'oci', cacheControl: 'no-cache' } as const
    const sent = await send(sender, ociName('blobs', repository, target.digest), request, reply, sending)
    if (sent === undefined)
      throw serviceProblems.create('not-found', `sha256:${target.digest} is not in ${repository}.`)
    return sent
  }

  const write = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const target = targetOrThrow(request)
    const { kind, repository } = target
    const place = placeOf(repository)
    const { method } = request
    if (kind === 'begin' && method === 'POST') {
      const { mount, from, digest } = queryOf(request)
      if (digest !== undefined) {
        const hex = digestOf(request)
        await receive(sender, 'oci', { name: ociName('blobs', repository, hex), digest: hex }, request)
        return created(reply, repository, hex)
      }
      const mounted = mount === undefined || from === undefined ? undefined : hexOf(mount)
      if (mounted !== undefined && from !== undefined && (await copy(sender, from, repository, mounted))) {
        return created(reply, repository, mounted)
      }
      return answers.begin(place, reply)
    }
    if (kind === 'upload' && method === 'PATCH') return answers.append(place, target.id, request, reply)
    if (kind === 'upload' && method === 'PUT') {
      const digest = digestOf(request)
      await answers.finish(place, target.id, request, { name: ociName('blobs', repository, digest), digest })
      return created(reply, repository, digest)
    }
    if (kind === 'upload' && method === 'DELETE') return answers.cancel(place, target.id, reply)
    if (kind === 'manifest' && method === 'PUT') return manifests.put(repository, target.reference, request, reply)
    if (method !== 'DELETE' || !allowDelete) throw unsupported(request)
    if (kind === 'manifest') return manifests.remove(repository, target.reference, reply)
    if (kind === 'blob') return removeBlob(sender, repository, target.digest, reply)
    throw unsupported(request)
  }

  for (const method of ['GET', 'HEAD'] as const) {
    app.route({ method, url: '/v2/*', config: { role: 'reader' }, schema: { hide: true }, handler: read })
  }
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const) {
    const config = { role: 'writer', streams: true } as const
    app.route({ method, url: '/v2/*', config, schema: { hide: true }, handler: write })
  }
}

const placeOf = (repository: string): UploadPlace => ({
  family: 'oci',
  scope: `oci ${repository}`,
  path: `/v2/${repository}/blobs/uploads`,
})

function targetOrThrow(request: FastifyRequest): OciTarget {
  const target = targetOf(paramsOf(request)['*'] ?? '')
  if (target !== undefined) return target
  throw problems.create(
    'invalid-name',
    `${request.url.split('?', 1)[0]} has no repository, digest or tag that could be.`,
  )
}

function unsupported({ method }: FastifyRequest): Error {
  return serviceProblems.create('method-not-allowed', `${method} is not taken here.`)
}

function created(reply: FastifyReply, repository: string, digest: string): FastifyReply {
  return reply
    .code(201)
    .header('location', `/v2/${repository}/blobs/sha256:${digest}`)
    .header('docker-content-digest', `sha256:${digest}`)
    .send()
}

/** False: it is not there, and has to be uploaded. */
async function copy({ blobs, metrics }: Sender, from: string, to: string, digest: string): Promise<boolean> {
  const blob = await blobs.open(ociName('blobs', from, digest)).catch(() => undefined)
  if (blob === undefined) return false
  await using open = blob
  await storing(metrics, 'oci', () => blobs.putStream({ name: ociName('blobs', to, digest), digest }, open.body()))
  return true
}

async function removeBlob(
  { blobs, metrics }: Sender,
  repository: string,
  digest: string,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const outcome = await blobs.remove(ociName('blobs', repository, digest)).catch((error: unknown) => {
    metrics.deleted(failureOf(error), 'oci')
    throw refusedRemoval(error) ?? error
  })
  metrics.deleted(outcome, 'oci')
  if (outcome === 'missing') throw serviceProblems.create('not-found', `sha256:${digest} is not in ${repository}.`)
  return reply.code(202).send()
}

function tagPage(
  tags: readonly string[],
  repository: string,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const { n, last } = queryOf(request)
  const limit = n !== undefined && /^\d{1,6}$/.test(n) ? Number(n) : Infinity
  const rest = last === undefined ? tags : tags.filter((tag) => tag > last)
  const page = rest.slice(0, limit)
  const end = page.at(-1)
  if (page.length < rest.length && end !== undefined) {
    void reply.header('link', `</v2/${repository}/tags/list?n=${limit}&last=${end}>; rel="next"`)
  }
  return reply.send({ name: repository, tags: page })
}

function queryOf({ query }: FastifyRequest): Readonly<Record<string, string | undefined>> {
  if (typeof query !== 'object' || query === null) return {}
  return Object.fromEntries(
    Object.entries(query).map(([key, value]) => [key, typeof value === 'string' ? value : undefined]),
  )
}
