import type { Document } from '@ballast/state-stores/document'

export interface BatchSizeOptions {
  readonly maxBytes: number
  /** What of a command's time comes from its size shall be about this long. */
  readonly targetMs: number
}

/** A hundred documents of the assessment: a moment's work for any store, and with each command it may double. */
const firstBytes = 64 * 1024
/** Weight that a command keeps when the next one comes: some ten of them count. */
const kept = 0.9
/** A command that takes so many times what was to be expected is the first of a store that is slower now. */
const surprise = 4
/** Relative; while batches differ by less they do not tell what their size does. */
const leastDeviation = 0.05

/**
 * How many bytes a write command may have, from how long the commands before it took. A line through (bytes, duration) of the last
 * ones tells what a command costs by itself and what each byte adds; only the latter is a reason for smaller batches: a store that takes
 * a second for every command gets as many bytes with each as ever, one that takes ten milliseconds for a document gets ten with a target of 100 ms.
 * A command so takes its fixed time and about `targetMs`, far from any time-out. It at most doubles, or halves, from one to the next.
 *
 * While all batches are of one size there is no such line: then a slow command makes the next one smaller and a fast one makes it larger,
 * which gives one. When the store is slower all at once, or after a failure, what was learnt is forgotten; after a failure the next
 * command is small. Pure: no clock.
 */
export class BatchSize {
  readonly #options: BatchSizeOptions
  #bytes: number
  #sums = noSums

  constructor(options: BatchSizeOptions) {
    this.#options = options
    this.#bytes = this.#within(firstBytes)
  }

  /** Most bytes of the next command. */
  get bytes(): number {
    return this.#bytes
  }

  answered(bytes: number, durationMs: number): void {
    const sums = durationMs > surprise * expectedMs(this.#sums, bytes) ? noSums : this.#sums
    this.#sums = {
      commands: sums.commands * kept + 1,
      bytes: sums.bytes * kept + bytes,
      ms: sums.ms * kept + durationMs,
      bytesSquared: sums.bytesSquared * kept + bytes * bytes,
      bytesMs: sums.bytesMs * kept + bytes * durationMs,
    }
    // A document is never cut: a limit below one must not take ages to grow beyond it.
    const before = Math.max(this.#bytes, Math.min(bytes, firstBytes))
    this.#bytes = this.#within(before * this.#change(before, durationMs))
  }

  failed(): void {
    this.#sums = noSums
    this.#bytes = this.#within(Math.min(this.#bytes, firstBytes) / 2)
  }

  #change(before: number, durationMs: number): number {
    const { targetMs } = this.#options
    const msPerByte = slopeOf(this.#sums)
    if (msPerByte !== undefined) return Math.min(2, Math.max(0.5, targetMs / msPerByte / before))
    const ratio = targetMs / durationMs
    return ratio < 1 ? Math.min(0.75, Math.max(0.5, ratio)) : Math.min(2, Math.max(1.25, ratio))
  }

  #within(bytes: number): number {
    return Math.max(1, Math.min(this.#options.maxBytes, Math.floor(bytes)))
  }
}

interface Sums {
  readonly commands: number
  readonly bytes: number
  readonly ms: number
  readonly bytesSquared: number
  readonly bytesMs: number
}

const noSums: Sums = { commands: 0, bytes: 0, ms: 0, bytesSquared: 0, bytesMs: 0 }

/** Least squares: ms that a byte adds, neither less than nothing nor more than all of the time. Undefined while sizes hardly differ. */
function slopeOf({ commands, bytes, ms, bytesSquared, bytesMs }: Sums): number | undefined {
  const mean = bytes / commands
  const variance = bytesSquared / commands - mean * mean
  if (!(variance > (leastDeviation * mean) ** 2)) return undefined
  const covariance = bytesMs / commands - mean * (ms / commands)
  return Math.min(ms / bytes, Math.max(0, covariance / variance))
}

/** What a command of so many bytes takes by the line, or what the last ones did on average if that is more. */
function expectedMs(sums: Sums, bytes: number): number {
  const meanMs = sums.ms / sums.commands
  return sums.commands === 0
    ? Infinity
    : meanMs + (slopeOf(sums) ?? 0) * Math.max(0, bytes - sums.bytes / sums.commands)
}

/** The end of the command that begins with the document `from`: at least one document, then as many as both bounds allow. */
export function endOfCommand(
  documents: readonly Document[],
  from: number,
  { maxDocuments, maxBytes }: { readonly maxDocuments: number; readonly maxBytes: number },
): number {
  let end = from
  let bytes = 0
  for (; end < documents.length && end - from < maxDocuments; end++) {
    bytes += documents[end]?.bson.byteLength ?? 0
    if (bytes > maxBytes && end > from) break
  }
  return end
}
