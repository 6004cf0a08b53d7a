import { buildServer, type App, type ServerOptions } from '@ballast/service'
import type { AttributedStore } from './attributed-store.ts'
import { problems } from './problems.ts'
import { readableStore } from './readable-store.ts'
import { batchRoutes } from './routes/batch.ts'
import { counterRoutes } from './routes/counter.ts'
import { listRoutes } from './routes/list.ts'
import { rootRoutes } from './routes/root.ts'
import { Writer } from './writer.ts'

export interface BuildDeps {
  readonly store: AttributedStore
  readonly server: ServerOptions
}

const openapi = {
  title: 'Counter',
  description: 'Durable 64-bit counters: an answered write is never lost and never doubled.',
}

/** The HTTP interface to a counter store; does not listen. */
export async function build({ store, server }: BuildDeps): Promise<App> {
  const app = await buildServer({ ...server, problems, openapi, limitsRate: true })
  const deps = { store: readableStore(store), writer: new Writer(store) }
  await app.register(rootRoutes, deps)
  await app.register(counterRoutes, deps)
  await app.register(listRoutes, deps)
  await app.register(batchRoutes, deps)
  return app
}
