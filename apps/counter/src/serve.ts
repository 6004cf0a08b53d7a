import type { Service } from '@ballast/service'
import { build } from './app.ts'
import type { AttributedStore } from './attributed-store.ts'
import type { ServeConfig } from './config.ts'
import { InFlight } from './idempotency.ts'
import { openBuffer } from './open-buffer.ts'
import { openServedStore } from './open-served-store.ts'
import { openRemoteStore } from './workers/remote-store.ts'
import { answerQuestion, isQuestion } from './workers/store-questions.ts'

/**
 * One process that owns the store and serves HTTP; or with `--workers 2` and more, one that owns it for life, and that
 * many which serve HTTP and send it their operations: it commits what all of them wait for together.
 */
export async function serve(service: Service<ServeConfig>): Promise<void> {
  const { config, primary } = service
  if (primary !== undefined) {
    await endWithPrimary()
    return serveHttp(service, await openRemoteStore(primary))
  }
  const store = await openServedStore(service)
  if (config.workers === 1) return serveHttp(service, store)
  service.health.add({ name: 'store', gates: 'ready', check: () => store.check() })
  const inFlight = new InFlight()
  await service.startWorkers({
    count: config.workers,
    answer: async (question) => {
      if (!isQuestion(question)) throw new TypeError('a worker asks what nobody answers')
      return answerQuestion(store, question, inFlight)
    },
  })
}

async function serveHttp(service: Service<ServeConfig>, store: AttributedStore): Promise<void> {
  service.health.add({ name: 'store', gates: 'ready', check: () => store.check() })
  const { config, log, metrics, serverOptions } = service
  const { maxStreams, streamPollMs: pollMs, buffered, flushIntervalMs, datedKeys, tokenWindowMs } = config
  const wanted = openBuffer(store, { patterns: buffered, flushIntervalMs }, metrics, log)
  // What nobody can commit is not accepted.
  const buffer = await store.check().then(
    () => wanted,
    () => undefined,
  )
  if (buffer !== undefined) service.onClose('buffered additions', () => buffer.close())
  const datedKeysWithinMs = datedKeys ? tokenWindowMs : undefined
  const streams = { maxStreams, pollMs }
  await service.listen(await build({ store, server: serverOptions, streams, buffer, datedKeysWithinMs }))
}

/** A worker ends by itself when it sees that the primary is gone; the kernel ends also one that is stopped, with its socket. */
async function endWithPrimary(): Promise<void> {
  try {
    ;(await import('@ballast/locking/end-with-parent')).endWithParent()
  } catch {
    // A system without it: a stopped worker has to be ended by hand.
  }
}
