import type { GroupedOptions } from './grouped.ts'
import type { CounterStoreOptions } from './options.ts'

/** For stores that are servers. */
export interface ServerStoreOptions extends CounterStoreOptions, GroupedOptions {
  /** Instead of the server's clock, for tests. */
  readonly now?: () => number
  /** How long one call to the server may take. Default: 5 s. */
  readonly timeoutMs?: number
  /** How long the store asks what became of a write whose answer was lost. Default: 10 s. */
  readonly resolveMs?: number
  /** Between 0 and 1; for the jitter of reconnecting. */
  readonly random?: () => number
  /** What the user turns to choose another store, for the sentences that tell him to. Default: "--store". */
  readonly setting?: string
}

export interface CallLimits {
  readonly timeoutMs: number
  readonly resolveMs: number
}

export const callLimits = ({ timeoutMs = 5_000, resolveMs = 10_000 }: ServerStoreOptions): CallLimits => ({
  timeoutMs,
  resolveMs,
})
