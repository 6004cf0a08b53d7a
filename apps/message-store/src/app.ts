import { buildServer, type App, type ServerOptions } from '@ballast/service'
import type { BlobStore } from '@ballast/state-stores/blob'
import { Messages, type QueueLimits } from './messages.ts'
import { messageMetrics, type MessageMetrics } from './metrics.ts'
import { problems } from './problems.ts'
import { messageRoutes } from './routes/messages.ts'
import { wireFormat, type Compat } from './wire-format.ts'

export interface BuildDeps {
  readonly store: BlobStore
  readonly server: ServerOptions
  readonly metrics?: MessageMetrics
  readonly compat?: Compat
  readonly allowDelete?: boolean
  readonly limits?: QueueLimits
}

const openapi = {
  title: 'Message store',
  description: 'Messages by the SHA-256 of their bytes: what was answered is durable, and what is read is verified.',
}

/** The HTTP interface to a blob store; does not listen. */
export async function build({
  store,
  server,
  metrics = messageMetrics(server.metrics),
  compat = 'challenge',
  allowDelete = true,
  limits = { maxQueued: 20_000, maxQueuedBytes: 256 * 2 ** 20 },
}: BuildDeps): Promise<App> {
  const app = await buildServer({ ...server, problems, openapi })
  const messages = new Messages(store, metrics, limits)
  metrics.watch(store, messages)
  const needsCredentials = server.authenticator.scheme !== 'none'
  await app.register(messageRoutes, { messages, metrics, format: wireFormat(compat), allowDelete, needsCredentials })
  return app
}
