import { buildServer, type App, type ServerOptions } from '@ballast/service'
import type { CounterStore } from '@ballast/state-stores/counter'
import { counterMetrics, type CounterMetrics } from './metrics.ts'
import { problems } from './problems.ts'
import { readableStore } from './readable-store.ts'
import { batchRoutes } from './routes/batch.ts'
import { counterRoutes } from './routes/counter.ts'
import { listRoutes } from './routes/list.ts'
import { rootRoutes } from './routes/root.ts'
import { Writer } from './writer.ts'

export interface BuildDeps {
  readonly store: CounterStore
  readonly server: ServerOptions
  readonly metrics?: CounterMetrics
}

const openapi = {
  title: 'Counter',
  description: 'Durable 64-bit counters: an answered write is never lost and never doubled.',
}

/** The HTTP interface to a counter store; does not listen. */
export async function build({ store, server, metrics = counterMetrics(server.metrics) }: BuildDeps): Promise<App> {
  const app = await buildServer({ ...server, problems, openapi })
  const deps = { store: readableStore(store), writer: new Writer(store, metrics) }
  await app.register(rootRoutes, deps)
  await app.register(counterRoutes, deps)
  await app.register(listRoutes, deps)
  await app.register(batchRoutes, deps)
  return app
}
