import { type App, type ServerOptions, testServer } from '@ballast/service'
import { openCache } from '@ballast/state-stores/cache'
import { openDocumentStore, type DocumentStore } from '@ballast/state-stores/document'
import { defaultBounds, openStream, type WriteStream } from '@ballast/state-stores/stream'
import { Admission } from '../src/admission/admission.ts'
import { GradientLimit } from '../src/admission/gradient-limit.ts'
import { build } from '../src/app.ts'
import { DrainRate } from '../src/drain-rate.ts'
import { HotRead } from '../src/hot-read.ts'
import { StoredWait } from '../src/stored-wait.ts'
import { timestampsOf } from '../src/timestamps.ts'
import { Writer } from '../src/writer.ts'
import { Writes } from '../src/writes.ts'

export interface TestApp {
  readonly app: App
  readonly server: ServerOptions
  readonly stream: WriteStream
  readonly documents: DocumentStore
}

/** The api on stores in memory, without a process; `change` puts faults into the stream. For tests. */
export async function testApp(change: (stream: WriteStream) => WriteStream = (stream) => stream): Promise<TestApp> {
  const server = testServer('load-tolerant-api')
  const stream = change(await openStream('memory:'))
  const documents = await openDocumentStore('memory:')
  const cache = await openCache('memory:')
  const writer = new Writer({ stream, maxEntryBytes: defaultBounds.maxEntryBytes })
  const limit = new GradientLimit({ initial: 100, min: 100, max: 100 })
  const admission = new Admission({ limit, maxRequests: 100, deadlineMs: 1000 })
  const hotRead = new HotRead({ cache, documents, ttlMs: 60_000, staleMs: 60_000 })
  const writes = new Writes({
    writer,
    drainRate: new DrainRate(),
    bounds: defaultBounds,
    admission,
    storedWait: new StoredWait({ documents, stream, maxWaiting: 10, timeoutMs: 200, pollMs: 1 }),
    refused: () => {},
  })
  const app = await build({
    server,
    stream,
    documents,
    cache,
    hotRead,
    writes,
    timestamps: timestampsOf('node'),
  })
  return { app, server, stream, documents }
}
