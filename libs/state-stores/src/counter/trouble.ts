import { hasCode } from './file/file-system.ts'

/**
 * What no retry mends, but somebody who sees to it.
 * - `full`: there is no room for writes.
 * - `read-only`: nothing can be written.
 * - `damaged`: what is there is not what was written; nothing of it is changed.
 */
export interface Trouble {
  readonly kind: 'full' | 'read-only' | 'damaged'
  /** What is wrong with which file, without its folder: for those who ask over a network. */
  readonly detail?: string
}

/** An error that says what to see to. */
export class TroubleError extends Error {
  override readonly name = 'TroubleError'
  readonly trouble: Trouble

  constructor(message: string, trouble: Trouble, options?: ErrorOptions) {
    super(message, options)
    this.trouble = trouble
  }
}

/** Why a store could not be opened, read or written, where it is one of these; looks along the causes. */
export function troubleOf(error: unknown): Trouble | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at instanceof TroubleError) return at.trouble
    if (hasCode(at, 'ENOSPC', 'EDQUOT')) return { kind: 'full' }
    if (hasCode(at, 'EROFS')) return { kind: 'read-only' }
  }
  return undefined
}
