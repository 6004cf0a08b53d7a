import type { Service } from '@ballast/service'
import type { DocumentStore } from '@ballast/state-stores/document'
import type { Backlog, PartitionedStream } from '@ballast/state-stores/stream'
import { groupBytes } from './write-group.ts'

export interface WatchedStores {
  readonly stream: PartitionedStream
  readonly documents: DocumentStore
  /** Whether nobody may come while only the document store is away. */
  readonly strict: boolean
}

/** What a process of the api needs to be ready: a queue that can take a write. */
export function watchStores(health: Service<unknown>['health'], { stream, documents, strict }: WatchedStores): void {
  health.add({ name: 'stream', gates: 'ready', check: () => stream.check() })
  health.add({
    name: 'queue',
    gates: 'ready',
    async check() {
      // By the partitions: each refuses at its own part of the bounds.
      const bound = await stream.fullBound(groupBytes)
      if (bound !== undefined) throw new Error(`full: ${fillOf(bound, await stream.backlog())}`)
    },
  })
  health.add({ name: 'documents', gates: strict ? 'ready' : 'none', check: () => documents.check() })
}

function fillOf(bound: 'entries' | 'bytes' | 'age', { entries, bytes, oldestAgeMs }: Backlog): string {
  if (bound === 'entries') return `${entries} entries`
  return bound === 'bytes' ? `${bytes} bytes` : `oldest entry is ${Math.round(oldestAgeMs)} ms old`
}
