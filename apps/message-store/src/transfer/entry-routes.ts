import { Problem, serviceProblems, type App } from '@ballast/service'
import type { NewEntry } from '@ballast/state-stores/blob'
import type { FastifyReply, FastifyRequest, FastifySchema } from 'fastify'
import type { Family } from '../metrics.ts'
import { problems } from '../problems.ts'
import { failureOf, refusal, refusedRemoval } from '../refusals.ts'
import { nameTaken, receive, type Stored } from './receive.ts'
import { send, type Sender, type Sending } from './send.ts'

export type Params = Readonly<Record<string, string>>

export interface EntryRoutes extends Sending {
  readonly url: string
  readonly family: Family
  /** What the URL names, with the digest where the name is one. Undefined: nothing that could be stored, a 400. */
  readonly entryOf: (params: Params) => NewEntry | undefined
  /** How a write is answered, after the usual headers. */
  readonly stored?: (outcome: Stored['outcome'], reply: FastifyReply) => void
  readonly write?: 'PUT' | 'POST'
  /** False: what is there is never replaced; that is 403. */
  readonly mayReplace?: boolean
  /** Before the body of a write is read; refuses it with a Problem. */
  readonly before?: (entry: NewEntry, params: Params) => Promise<void>
  /** Undefined: the method is not taken. */
  readonly removed?: number
  /** Answers a GET or HEAD before the store is asked. */
  readonly known?: (entry: NewEntry, reply: FastifyReply) => boolean
  readonly schemas?: Readonly<Partial<Record<'get' | 'put' | 'remove', FastifySchema>>>
}

/** GET, HEAD, PUT (or POST) and perhaps DELETE of the bytes under a name. */
export function entryRoutes(app: App, sender: Sender, routes: EntryRoutes): void {
  const { url, family, entryOf, stored, write = 'PUT', removed, known, schemas = {} } = routes
  const hidden = { hide: true }
  const named = (request: FastifyRequest): NewEntry => {
    const entry = entryOf(paramsOf(request))
    if (entry !== undefined && Buffer.byteLength(entry.name.key) <= sender.blobs.longestKeyBytes) return entry
    throw problems.create('invalid-name', `${request.url.split('?', 1)[0]} is not of the form ${url}; see the README.`)
  }

  const read = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const entry = named(request)
    if (known?.(entry, reply) === true) return reply.send()
    const sent = await send(sender, entry.name, request, reply, routes)
    if (sent === undefined) throw missing(request)
    return sent
  }
  app.route({ method: 'GET', url, config: { role: 'reader' }, schema: schemas.get ?? hidden, handler: read })
  // Not Fastify's own HEAD, which would claim a length of 0.
  app.route({ method: 'HEAD', url, config: { role: 'reader' }, schema: hidden, handler: read })

  app.route({
    method: write,
    url,
    config: { role: 'writer', streams: true },
    schema: schemas.put ?? hidden,
    handler: async (request, reply) => {
      refuseConditions(request)
      const entry = named(request)
      await routes.before?.(entry, paramsOf(request)).catch((error: unknown) => {
        throw refusal(error) ?? error
      })
      const store = (how: NewEntry): Promise<Stored> => receive(sender, family, how, request)
      const { outcome, digest } =
        routes.mayReplace === false || request.headers['if-none-match'] === '*'
          ? await create(sender, entry, routes, store)
          : await store(entry)
      void reply.code(outcome === 'created' ? 201 : 200).header('etag', `"${digest}"`)
      stored?.(outcome, reply)
      return reply.send()
    },
  })

  if (removed === undefined) return
  app.delete(url, { config: { role: 'writer' }, schema: schemas.remove ?? hidden }, async (request, reply) => {
    refuseConditions(request)
    const { name } = named(request)
    try {
      const outcome = await sender.blobs.remove(name)
      sender.metrics.deleted(outcome, family)
      if (outcome === 'missing') throw missing(request)
      return await reply.code(removed).send()
    } catch (error) {
      const refused = refusedRemoval(error)
      if (refused !== undefined) sender.metrics.deleted(failureOf(error), family)
      throw refused ?? error
    }
  })
}

/**
 * A write that is done although its condition may not hold would be worse than none (RFC 9110, 13.2.1), and no store here
 * compares and replaces in one step: only "nothing there yet" can be kept. A part of a whole is no whole (14.5).
 */
function refuseConditions({ method, headers }: FastifyRequest): void {
  const ifNoneMatch = headers['if-none-match']
  const asked = [
    headers['if-match'] !== undefined && 'If-Match',
    headers['if-unmodified-since'] !== undefined && 'If-Unmodified-Since',
    ifNoneMatch !== undefined && (method === 'DELETE' || ifNoneMatch !== '*') && 'If-None-Match with a tag',
    headers['content-range'] !== undefined && 'Content-Range',
  ].find((header) => header !== false)
  if (asked === undefined) return
  const detail = `${method} does not take ${asked} here, and nothing was done; If-None-Match: * keeps a PUT from replacing.`
  throw problems.create('unsupported-condition', detail)
}

/**
 * Writes what must not be replaced; through whatever process or replica, of all who do it at once one does. The look
 * beforehand only saves the upload. `If-None-Match: *` is 412 then, also for the same bytes (RFC 9110, 13.1.2).
 */
async function create(
  { blobs }: Sender,
  entry: NewEntry,
  { mayReplace }: EntryRoutes,
  store: (entry: NewEntry) => Promise<Stored>,
): Promise<Stored> {
  const taken = (problem: Problem): Problem =>
    mayReplace === false
      ? serviceProblems.create('forbidden', `${entry.name.key} is there; it is not replaced.`)
      : problem
  const [found] = await blobs.stat([entry.name])
  if (found !== undefined) throw taken(nameTaken(found.digest))
  const stored = await store({ ...entry, onlyIfNew: true }).catch((error: unknown) => {
    throw error instanceof Problem && error.code === 'name-taken' ? taken(error) : error
  })
  if (stored.outcome === 'exists' && mayReplace !== false) throw nameTaken(stored.digest)
  return stored
}

function missing({ url }: FastifyRequest): Problem {
  return serviceProblems.create('not-found', `${url.split('?', 1)[0]} is not stored.`, {
    headers: { 'cache-control': 'no-store' },
  })
}

export function paramsOf({ params }: FastifyRequest): Params {
  if (typeof params !== 'object' || params === null) return {}
  return Object.fromEntries(
    Object.entries(params).filter((each): each is [string, string] => typeof each[1] === 'string'),
  )
}
