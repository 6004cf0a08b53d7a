import type { BufferedAdditions } from './buffered-additions.ts'
import type { ReadableStore } from './readable-store.ts'
import type { Writer } from './writer.ts'

/** What the routes work with. */
export interface CounterDeps {
  readonly store: ReadableStore
  readonly writer: Writer
  /** Missing where no counter is buffered. */
  readonly buffer?: BufferedAdditions | undefined
}
