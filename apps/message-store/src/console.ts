import type { ConsoleOptions } from '@ballast/console'
import type { ServerOptions } from '@ballast/service'
import type { BlobStore } from '@ballast/state-stores/blob'

/** Of how many entries the sizes are looked at. */
const sampled = 5_000
const pageEntries = 1_000
const everyMs = 10_000

/** Upper bounds; what is larger than the last one has a place of its own. */
const boundsBytes = [64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 16_777_216]

/** What the page at /ui shows beside the metrics: how large the first few thousand messages are, looked at every 10 s. */
export function consoleOf(server: ServerOptions, store: BlobStore): ConsoleOptions {
  let sizes: Promise<Sizes> | undefined
  let takenMs = -Infinity
  return {
    server,
    metrics: ['message_store_'],
    async state() {
      if (performance.now() - takenMs > everyMs) {
        takenMs = performance.now()
        sizes = sizesOf(store)
      }
      const { families = {} } = store.usage() ?? {}
      return { sizes: await sizes, families }
    },
  }
}

interface Sizes {
  readonly boundsBytes: readonly number[]
  /** One more than there are bounds. */
  readonly counts: readonly number[]
  readonly all: boolean
}

async function sizesOf(store: BlobStore): Promise<Sizes> {
  const counts = Array.from({ length: boundsBytes.length + 1 }, () => 0)
  let after: string | undefined
  for (let seen = 0; seen < sampled; seen += pageEntries) {
    const { entries, next } = await store.scan('messages', after, pageEntries)
    for (const { sizeBytes } of entries) {
      const found = boundsBytes.findIndex((bound) => sizeBytes <= bound)
      const index = found < 0 ? boundsBytes.length : found
      counts[index] = (counts[index] ?? 0) + 1
    }
    after = next
    if (next === undefined) break
  }
  return { boundsBytes, counts, all: after === undefined }
}
