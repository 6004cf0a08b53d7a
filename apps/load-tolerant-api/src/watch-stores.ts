import type { Service } from '@ballast/service'
import type { DocumentStore } from '@ballast/state-stores/document'
import type { StreamBounds, WriteStream } from '@ballast/state-stores/stream'
import { groupBytes } from './write-group.ts'

export interface WatchedStores {
  readonly stream: WriteStream
  readonly documents: DocumentStore
  readonly bounds: StreamBounds
  /** Whether nobody may come while only the document store is away. */
  readonly strict: boolean
}

/** What a process of the api needs to be ready: a queue that can take a write. */
export function watchStores(
  health: Service<unknown>['health'],
  { stream, documents, bounds, strict }: WatchedStores,
): void {
  health.add({ name: 'stream', gates: 'ready', check: () => stream.check() })
  health.add({
    name: 'queue',
    gates: 'ready',
    async check() {
      const { entries, bytes, oldestAgeMs } = await stream.backlog()
      if (entries >= bounds.maxEntries) throw new Error(`full: ${entries} entries`)
      if (bytes + groupBytes > bounds.maxBytes) throw new Error(`full: ${bytes} bytes`)
      if (oldestAgeMs > bounds.maxOldestAgeMs)
        throw new Error(`full: oldest entry is ${Math.round(oldestAgeMs)} ms old`)
    },
  })
  health.add({ name: 'documents', gates: strict ? 'ready' : 'none', check: () => documents.check() })
}
