import { createMetrics } from '@ballast/metrics'
import { eventText, loadAssets, openingMs, pageRoutes, Readers } from '@ballast/console'
import { buildServer, defaultLimits, Health, noTracer, type App, type ServerOptions, silentLog } from '@ballast/service'
import type { Platform } from '../../platform/platform.ts'
import { host } from '../../platform/ports.ts'
import type { ServiceDefinition } from '../../platform/service.ts'
import { reasonOf, StartError } from '../../platform/start-error.ts'
import type { ProcessState } from '../../platform/supervised-process.ts'
import { chaosRoutes } from './chaos-routes.ts'
import { Chaos } from './chaos.ts'
import { Feed } from './feed.ts'
import { forwardRoutes } from './forward.ts'
import { refuseOtherHosts } from './own-hosts.ts'
import { mintToken } from './token.ts'
import { Witness } from './witness.ts'

export interface ConsoleServer {
  readonly url: string
  /** The address with the token in its fragment, for the person who started the platform. */
  readonly address: string
  readonly token: string
  close(): Promise<void>
}

export interface ConsoleServerOptions {
  readonly platform: Platform
  readonly services: readonly ServiceDefinition[]
  readonly port: number
}

const tellEveryMs = 500

/** The page about all services, on one origin: their samples as one stream, their APIs below their names, and the chaos panel. */
export async function startConsole({ platform, services, port }: ConsoleServerOptions): Promise<ConsoleServer> {
  const stopping = new AbortController()
  const token = mintToken()
  const server = serverOptions(token.authenticator, stopping.signal)
  const app = await buildServer(server)
  refuseOtherHosts(app)
  const chaos = new Chaos(platform, services)
  const url = (service: string): string | undefined => mainOf(platform, service)?.url
  const witness = new Witness(
    services.map(({ name }) => name),
    url,
  )
  const feeds = new Map<string, Feed>()
  let timer: NodeJS.Timeout | undefined
  const readers = new Readers({
    maxReaders: 100,
    stallMs: 30_000,
    watched(watched) {
      clearInterval(timer)
      if (watched) {
        tell()
        timer = setInterval(tell, tellEveryMs)
      } else rest()
    },
  })
  /** Who comes after an hour is not to be told of an hour ago. */
  const rest = (): void => {
    for (const [name, feed] of feeds) {
      feed.rest()
      readers.forget(name)
    }
    readers.forget('platform')
  }
  const tell = (): void => {
    followAll(platform, services, feeds, readers, chaos)
    readers.send('platform', 'platform', { processes: chaos.processes, witness: witness.report })
  }
  await app.register(pageRoutes, {
    url: '/',
    service: undefined,
    asText: () => asText(services, url),
    opened: () => readers.expect(openingMs),
  })
  app.get(
    '/ui/events',
    { config: { role: 'reader', unlimited: true }, schema: { hide: true } },
    async (request, reply) => {
      const { name, role } = request.principal
      const { raw } = reply.hijack()
      if (readers.full) raw.writeHead(503, { 'retry-after': '5' }).end()
      else
        readers.add(
          raw,
          eventText('hello', { service: '', version: server.version, access: { scheme: 'tokens', name, role } }),
        )
      return reply
    },
  )
  await app.register(chaosRoutes, {
    chaos,
    witness,
    replicated: new Set(services.flatMap(({ name, replica }) => (replica === undefined ? [] : [name]))),
    setReplicas: (service, count) => platform.setReplicas(service, count),
  })
  await app.register(forwardRoutes, { services, url })
  const listening = await listen(app, port)
  // The first page is not to wait for it.
  loadAssets().catch(() => {})
  return {
    url: listening,
    address: `${listening}/#token=${token.text}`,
    token: token.text,
    close: once(async () => {
      stopping.abort()
      clearInterval(timer)
      for (const feed of feeds.values()) feed.rest()
      readers.end()
      await chaos.resumeAll()
      await witness.stop()
      app.server.closeAllConnections()
      await app.close()
    }),
  }
}

/** Whoever calls it, it happens once, and all wait for it. */
function once(action: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined
  return () => (running ??= action())
}

function serverOptions(authenticator: ServerOptions['authenticator'], stopping: AbortSignal): ServerOptions {
  const health = new Health()
  health.started = true
  return {
    name: 'console',
    version: '0.1.0',
    log: silentLog('console'),
    metrics: createMetrics({ service: 'console', processMetrics: false }),
    health,
    tracer: noTracer,
    authenticator,
    limits: defaultLimits,
    serveMetrics: false,
    stopping,
  }
}

async function listen(app: App, port: number): Promise<string> {
  try {
    return await app.listen({ host, port })
  } catch (error) {
    await app.close()
    const reason = reasonOf(error)
    const what = reason === 'EADDRINUSE' ? 'is taken by another program' : `cannot be listened on (${reason})`
    throw new StartError(`Port ${port} of the console ${what}: free it, or choose other ports with --port-base.`)
  }
}

/** The process that listens where the service is found; undefined before it was started. */
const mainOf = (platform: Platform, service: string) => platform.processes.find(({ name }) => name === service)

/** Why nothing is heard of a process, by its state. */
const silence: Readonly<Record<ProcessState | 'none', string>> = {
  none: 'not started yet',
  starting: 'starting',
  ready: 'it runs, but does not answer',
  waiting: 'it has ended, and is started again',
  stopping: 'stopping',
  stopped: 'stopped',
}

/** Processes come and go with the number of workers. */
function followAll(
  platform: Platform,
  services: readonly ServiceDefinition[],
  feeds: Map<string, Feed>,
  readers: Readers,
  chaos: Chaos,
): void {
  const names = new Set([...services.map(({ name }) => name), ...platform.processes.map(({ name }) => name)])
  for (const name of names) {
    const found = (): ReturnType<typeof mainOf> => platform.processes.find((process) => process.name === name)
    const why = (): string => (chaos.isPaused(name) ? 'paused' : silence[found()?.state ?? 'none'])
    const feed = feeds.get(name) ?? new Feed({ name, readers, why, url: () => found()?.url })
    feeds.set(name, feed)
    feed.follow()
  }
  for (const [name, feed] of feeds) {
    if (names.has(name)) continue
    feed.rest()
    feeds.delete(name)
    readers.forget(name)
  }
}

/** What each service says to curl, one below the other. */
async function asText(
  services: readonly ServiceDefinition[],
  url: (service: string) => string | undefined,
): Promise<string> {
  const tables = services.map(async ({ name }) => {
    const base = url(name)
    const answer = base && (await fetch(`${base}/ui`, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined))
    return answer ? answer.text() : `${name}\n  down\n`
  })
  return (await Promise.all(tables)).join('\n')
}
