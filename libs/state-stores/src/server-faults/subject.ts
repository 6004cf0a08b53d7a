import type { BackendKind, Durability } from '@ballast/backends'

/** A store on a server, as far as the promises about servers that fail need to know it. */
export interface Subject extends AsyncDisposable {
  /** Resolves when the write of item `n` was acknowledged. */
  write(n: number): Promise<unknown>
  /** Which of these items are not there. */
  missing(numbers: readonly number[]): Promise<readonly number[]>
  check(): Promise<void>
}

export interface ServerCase {
  /** The port and, where it matters, how the server is set: "counter, everysec". */
  readonly store: string
  readonly kind: BackendKind
  readonly durability: Durability
  /** How the server is ended; `SIGTERM` for one that itself breaks its promise under SIGKILL. */
  readonly end: 'SIGKILL' | 'SIGTERM'
  /** What an acknowledged write survives, for the table in docs/backends.md. */
  readonly promise: string
  /** No call may take longer: the time-outs with which `open` opens the store, one after the other, and some air. */
  readonly longestCallMs: number
  readonly open: (url: string) => Promise<Subject>
}
