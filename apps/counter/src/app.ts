import { consoleRoutes } from '@ballast/console'
import { buildServer, type App, type ServerOptions } from '@ballast/service'
import { refine, type AttributedStore } from './attributed-store.ts'
import type { BufferedAdditions } from './buffered-additions.ts'
import { consoleOf } from './console.ts'
import { problems } from './problems.ts'
import { readableStore } from './readable-store.ts'
import { badgeRoutes } from './routes/badge.ts'
import { batchRoutes } from './routes/batch.ts'
import { counterRoutes } from './routes/counter.ts'
import { eventRoutes } from './routes/events.ts'
import { listRoutes } from './routes/list.ts'
import { rootRoutes } from './routes/root.ts'
import { CounterHub } from './stream/hub.ts'
import { Streams, type StreamLimits } from './stream/streams.ts'
import { validationProblem } from './validation-problem.ts'
import { Writer } from './writer.ts'

export interface BuildDeps {
  readonly store: AttributedStore
  readonly server: ServerOptions
  readonly buffer?: BufferedAdditions | undefined
  /** How long the store keeps keys, where only those are taken that tell their age. */
  readonly datedKeysWithinMs?: number | undefined
  readonly streams?: Partial<StreamLimits> & { readonly pollMs?: number }
}

const openapi = {
  title: 'Counter',
  description: 'Durable 64-bit counters: an answered write is never lost and never doubled.',
}

/** The HTTP interface to a counter store; does not listen. */
export async function build({
  store,
  server,
  buffer,
  streams: limits = {},
  datedKeysWithinMs,
}: BuildDeps): Promise<App> {
  const { pollMs = 500, maxStreams = 10_000, heartbeatMs = 15_000, stallMs = 30_000 } = limits
  const app = await buildServer({ ...server, problems, openapi, limitsRate: true })
  app.setSchemaErrorFormatter(validationProblem)
  const hub = new CounterHub(store, pollMs)
  const announced = refine(store, {
    async commit(ops, by) {
      const outcomes = await store.commit(ops, by)
      hub.changed(ops.map(({ name }) => name))
      return outcomes
    },
  })
  const streams = new Streams({ maxStreams, heartbeatMs, stallMs }, hub, server.metrics)
  server.stopping.addEventListener('abort', () => streams.end(), { once: true })
  app.addHook('preClose', async () => streams.end())
  const deps = {
    store: readableStore(store),
    writer: new Writer(announced, buffer, datedKeysWithinMs),
    buffer,
    streams,
  }
  await app.register(rootRoutes, deps)
  await app.register(counterRoutes, deps)
  await app.register(eventRoutes, deps)
  await app.register(badgeRoutes, deps)
  await app.register(listRoutes, deps)
  await app.register(batchRoutes, deps)
  await app.register(consoleRoutes, consoleOf(server))
  return app
}
