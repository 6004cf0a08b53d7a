import { serviceProblems, type App, type Problem } from '@ballast/service'
import type { NewEntry } from '@ballast/state-stores/blob'
import type { FastifyReply, FastifyRequest, FastifySchema } from 'fastify'
import type { Family } from '../metrics.ts'
import { problems } from '../problems.ts'
import { failureOf, refusal } from '../refusals.ts'
import { receive, type Stored } from './receive.ts'
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
  /** False: other bytes under a name that is taken are refused, with 403. */
  readonly mayReplace?: boolean
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

  const creating = new Set<string>()
  app.route({
    method: write,
    url,
    config: { role: 'writer', streams: true },
    schema: schemas.put ?? hidden,
    handler: async (request, reply) => {
      const entry = named(request)
      const store = (): Promise<Stored> => receive(sender, family, entry, request)
      const { outcome, digest } =
        routes.mayReplace === false ? await once(sender, creating, entry, store) : await store()
      void reply.code(outcome === 'created' ? 201 : 200).header('etag', `"${digest}"`)
      stored?.(outcome, reply)
      return reply.send()
    },
  })

  if (removed === undefined) return
  app.delete(url, { config: { role: 'writer' }, schema: schemas.remove ?? hidden }, async (request, reply) => {
    const { name } = named(request)
    try {
      const outcome = await sender.blobs.remove(name)
      sender.metrics.deleted(outcome, family)
      if (outcome === 'missing') throw missing(request)
      return await reply.code(removed).send()
    } catch (error) {
      const refused = refusal(error)
      if (refused !== undefined) sender.metrics.deleted(failureOf(error), family)
      throw refused ?? error
    }
  })
}

/**
 * Writes what must not be replaced. Of several first writes at the same moment one passes in each process; through two
 * processes both may, and the later one counts.
 */
async function once(
  { blobs }: Sender,
  creating: Set<string>,
  { name }: NewEntry,
  write: () => Promise<Stored>,
): Promise<Stored> {
  const id = `${name.namespace}/${name.key}`
  const taken = (how: string): Problem =>
    serviceProblems.create('forbidden', `${name.key} is ${how}; it is not replaced.`)
  if (creating.has(id)) throw taken('being written by another request')
  creating.add(id)
  try {
    const [found] = await blobs.stat([name])
    if (found !== undefined) throw taken('there')
    return await write()
  } finally {
    creating.delete(id)
  }
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
