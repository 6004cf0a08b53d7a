import { consoleRoutes } from '@ballast/console'
import { buildServer, type App, type ServerOptions } from '@ballast/service'
import type { BlobStore } from '@ballast/state-stores/blob'
import { Blobs, type QueueLimits } from './blobs.ts'
import { consoleOf } from './console.ts'
import { messageMetrics, type MessageMetrics } from './metrics.ts'
import { problems } from './problems.ts'
import { casBatchRoutes } from './routes/cas-batch.ts'
import { casUploadRoutes } from './routes/cas-uploads.ts'
import { contentRoutes } from './routes/content.ts'
import { families, familyNames, type FamilyName } from './routes/families/index.ts'
import { messageRoutes } from './routes/messages.ts'
import { answerNoMessage } from './routes/no-message.ts'
import { acceptBasic } from './transfer/basic-credentials.ts'
import { limitCollectedBodies } from './transfer/body-deadline.ts'
import { ResponseTurns } from './transfer/response-turns.ts'
import { Uploads } from './uploads/uploads.ts'
import { wireFormat, type Compat } from './wire-format.ts'

export interface BuildDeps {
  readonly store: BlobStore
  readonly server: ServerOptions
  readonly metrics?: MessageMetrics
  readonly compat?: Compat
  readonly allowDelete?: boolean
  readonly limits?: QueueLimits
  readonly families?: readonly FamilyName[]
  readonly publicUrl?: string
  /** How long an upload may take that is not collected in memory. Default: as long as any request. */
  readonly uploadTimeoutMs?: number
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
  families: wanted = familyNames,
  publicUrl,
  uploadTimeoutMs = server.limits.requestTimeoutMs,
}: BuildDeps): Promise<App> {
  const { requestTimeoutMs, bodyLimitBytes } = server.limits
  const format = wireFormat(compat)
  const listener = { ...server.limits, requestTimeoutMs: Math.max(requestTimeoutMs, uploadTimeoutMs) }
  const app = await buildServer({
    ...server,
    authenticator: acceptBasic(server.authenticator),
    limits: listener,
    problems,
    answerProblem: answerNoMessage(format, ['GET', 'HEAD', ...(allowDelete ? ['DELETE'] : [])]),
    openapi,
    limitsRate: true,
  })
  limitCollectedBodies(app, requestTimeoutMs)
  const blobs = new Blobs(store, metrics, limits)
  metrics.watch(store, blobs)
  const turns = new ResponseTurns()
  turns.watch(app)
  const needsCredentials = server.authenticator.scheme !== 'none'
  // Where something may be deleted, a cache has to ask each time; where callers differ, it keeps nothing for others.
  const cacheControl = allowDelete
    ? 'no-cache'
    : `${needsCredentials ? 'private' : 'public'}, max-age=31536000, immutable`
  const sender = { blobs, metrics, turns }
  const uploads = new Uploads(sender)
  forgetAbandoned(app, uploads)
  await app.register(messageRoutes, { ...sender, format, allowDelete, cacheControl })
  await app.register(contentRoutes, { sender, allowDelete, cacheControl })
  await app.register(casBatchRoutes, { sender, maxAnswerBytes: bodyLimitBytes })
  await app.register(casUploadRoutes, { uploads })
  await app.register(consoleRoutes, consoleOf(server, store))
  for (const name of wanted) {
    await app.register(families[name], { sender, uploads, allowDelete, maxCollectedBytes: bodyLimitBytes, publicUrl })
  }
  return app
}

/** Once at the start and every hour; what one replica misses the next one finds. */
function forgetAbandoned(app: App, uploads: Uploads): void {
  const sweep = (): void =>
    void uploads.sweep().catch((error: unknown) => app.log.warn(error, 'abandoned uploads could not be removed'))
  const timer = setInterval(sweep, 3_600_000).unref()
  app.addHook('onListen', async () => sweep())
  app.addHook('onClose', async () => clearInterval(timer))
}
