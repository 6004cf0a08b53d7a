import { setTimeout as delay } from 'node:timers/promises'
import {
  roles,
  serviceProblems,
  takeOver,
  type Principal,
  type Role,
  type Routes,
  type ServerOptions,
} from '@ballast/service'
import type { FastifyRequest } from 'fastify'
import { textTable } from '../views/text-table.ts'
import { openingMs, pageRoutes } from './page-routes.ts'
import { eventText, Readers } from './readers.ts'
import { takeSample, type SamplerOptions } from './sampler.ts'

export interface ConsoleOptions extends Omit<SamplerOptions, 'server' | 'service'> {
  readonly server: ServerOptions
  /** Default: the server's name. */
  readonly service?: string
  readonly maxReaders?: number
}

const everyMs = 500

/**
 * `GET /ui`: a page about this service, or a table for who asks for text; `GET /ui/events`: a sample of what it does,
 * twice a second and while somebody reads. Nobody reading costs nothing.
 */
export const consoleRoutes: Routes<ConsoleOptions> = async (
  app,
  { server, service = server.name, metrics, state, maxReaders = 100 },
) => {
  const sampling = { server, service, metrics, state }
  let timer: NodeJS.Timeout | undefined
  let watched = false
  const readers = new Readers({
    maxReaders,
    stallMs: 30_000,
    watched(now) {
      watched = now
      clearTimeout(timer)
      if (now) void tell()
      else readers.forget('sample')
    },
  })
  const tell = async (): Promise<void> => {
    const startedMs = performance.now()
    const sample = await takeSample(sampling)
    if (!watched) return
    readers.send('sample', 'sample', sample)
    clearTimeout(timer)
    timer = setTimeout(() => void tell(), Math.max(100, everyMs - (performance.now() - startedMs)))
  }
  server.stopping.addEventListener('abort', () => readers.end(), { once: true })
  app.addHook('preClose', async () => {
    readers.end()
    clearTimeout(timer)
  })

  await app.register(pageRoutes, {
    url: '/ui',
    service,
    opened: () => readers.expect(openingMs),
    async asText(request) {
      mayRead(server, request)
      const before = await takeSample(sampling)
      await delay(everyMs)
      return textTable(await takeSample(sampling), before)
    },
  })
  app.get(
    '/ui/events',
    { config: { role: 'reader', unlimited: true }, schema: { hide: true } },
    async (request, reply) => {
      if (!readers.full) {
        const { scheme } = server.authenticator
        const { name, role } = request.principal
        readers.add(
          takeOver(reply),
          eventText('hello', { service, version: server.version, access: { scheme, name, role } }),
        )
        return reply
      }
      const said = 'As many readers as this process takes are connected. Come back.\n'
      return reply.code(503).header('retry-after', '5').type('text/plain').send(said)
    },
  )
}

/** The page is for all, its data is not. */
function mayRead({ authenticator }: ServerOptions, request: FastifyRequest): void {
  if (authenticator.scheme === 'none') return
  const principal: Principal | undefined = authenticator.identify(request)
  if (principal !== undefined && reaches(principal.role, 'reader')) return
  const code = principal === undefined ? 'unauthenticated' : 'forbidden'
  throw serviceProblems.create(code, 'Send a token of the role reader: curl -H "Authorization: Bearer <token>".', {
    headers: { 'www-authenticate': 'Bearer realm="ballast"' },
  })
}

const reaches = (held: Role, needed: Role): boolean => roles.indexOf(held) >= roles.indexOf(needed)
