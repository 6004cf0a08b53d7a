import { consoleRoutes } from '@ballast/console'
import { type App, buildServer, type ServerOptions } from '@ballast/service'
import type { CacheStore } from '@ballast/state-stores/cache'
import type { DocumentStore } from '@ballast/state-stores/document'
import type { WriteStream } from '@ballast/state-stores/stream'
import { consoleOf } from './console.ts'
import { findWriteIn } from './find-write.ts'
import type { HotRead } from './hot-read.ts'
import { problems } from './problems.ts'
import { cacheRoutes } from './routes/cache.ts'
import { deadRoutes } from './routes/dead.ts'
import type { Timestamps } from './timestamps.ts'
import { dataRoute } from './routes/data.ts'
import { healthRoutes } from './routes/health.ts'
import { statsRoute } from './routes/stats.ts'
import { writeRoute } from './routes/writes.ts'
import type { Writes } from './writes.ts'

export interface ApiParts {
  readonly server: ServerOptions
  readonly stream: WriteStream
  readonly documents: DocumentStore
  readonly cache: CacheStore
  readonly hotRead: HotRead
  readonly writes: Writes
  readonly timestamps: Timestamps
}

export async function build({ server, stream, documents, cache, hotRead, writes, timestamps }: ApiParts): Promise<App> {
  const app = await buildServer({
    ...server,
    problems,
    openapi: {
      title: 'Load-tolerant API',
      description: 'Takes writes at any rate in front of a database that takes few, and loses none it acknowledged.',
    },
    healthRoutes: { healthz: false, readyz: false },
  })
  await app.register(dataRoute, { writes, hotRead, timestamps })
  await app.register(statsRoute, { documents, stream, timestamps })
  await app.register(writeRoute, { findWrite: findWriteIn(documents, stream) })
  await app.register(deadRoutes, { stream })
  await app.register(cacheRoutes, { cache, hotRead })
  await app.register(consoleRoutes, consoleOf(server, documents))
  await app.register(healthRoutes, { health: server.health, stream, timestamps })
  return app
}
