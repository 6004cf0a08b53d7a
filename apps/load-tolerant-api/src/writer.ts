import { ObjectIds } from '@ballast/state-stores/document'
import { GroupCommit } from '@ballast/state-stores/group-commit'
import type { AppendOutcome, Entry, WriteStream } from '@ballast/state-stores/stream'
import { RandomHex } from './random-hex.ts'
import { documentsPerGroup, groupBytes, type WriteGroup, writeGroup } from './write-group.ts'

export interface WriterOptions {
  readonly stream: WriteStream
  readonly maxEntryBytes: number
  readonly now?: () => number
  readonly ids?: ObjectIds
  /** Told of every append: how many requests it carried and how long it took. */
  readonly observe?: (
    entries: readonly Entry[],
    outcomes: readonly AppendOutcome[],
    requests: number,
    durationMs: number,
  ) => void
}

/** The five documents of a request, and what became of them. */
export interface Written {
  readonly group: WriteGroup
  readonly outcome: AppendOutcome
}

/** The most requests in one append: six megabytes, or what 10,000 clients without think time bring in a moment. */
export const maxGroups = 2048

/**
 * Accepts the writes of requests: whoever comes while one append runs shares the next one, as few stream entries as
 * possible. Only one append is under way, so its buffers are used again and again; those of one that failed are left to it.
 */
export class Writer implements AsyncDisposable {
  readonly #options: WriterOptions
  readonly #now: () => number
  readonly #ids: ObjectIds
  readonly #random = new RandomHex()
  readonly #commit: GroupCommit<WriteGroup, Written>
  readonly #groupsPerEntry: number
  readonly #buffers: Buffer[] = []

  constructor(options: WriterOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#ids = options.ids ?? new ObjectIds()
    this.#groupsPerEntry = Math.max(1, Math.floor(options.maxEntryBytes / groupBytes))
    this.#commit = new GroupCommit({ commit: (groups) => this.#append(groups), maxItems: maxGroups })
  }

  /**
   * Writes the five documents of one request. Resolves once the queue holds all of them durably, or refused them. Rejects:
   * `NotAppliedError`, or outcome unknown.
   *
   * Their ids are made here and nowhere earlier, so that they rise with the order of the writes: an entry ends where they fall, and
   * requests that overtook each other after they had their ids would each be an entry of its own.
   */
  write(): Promise<Written> {
    const atMs = this.#now()
    return this.#commit.submit({ ids: this.#ids.reserve(documentsPerGroup, atMs), atMs })
  }

  id({ ids }: WriteGroup, index: number): string {
    return this.#ids.hex(ids, index)
  }

  /** The five ids as a JSON array. */
  idsAsJson({ ids }: WriteGroup): string {
    let json = `["${this.#ids.hex(ids, 0)}`
    for (let index = 1; index < documentsPerGroup; index++) json += `","${this.#ids.hex(ids, index)}`
    return `${json}"]`
  }

  close(): Promise<void> {
    return this.#commit.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #append(groups: readonly WriteGroup[]): Promise<readonly Written[]> {
    const startedMs = performance.now()
    const entries: Entry[] = []
    const entryOfGroup: number[] = []
    for (let from = 0; from < groups.length;) {
      const until = this.#endOfEntry(groups, from)
      entries.push(this.#encode(groups, from, until, entries.length))
      for (; from < until; from++) entryOfGroup.push(entries.length - 1)
    }
    const outcomes = await this.#options.stream.append(entries).catch((error: unknown) => {
      // A stream that gave up waiting may still read them: then other documents would go under these ids.
      this.#buffers.length = 0
      throw error
    })
    this.#options.observe?.(entries, outcomes, groups.length, performance.now() - startedMs)
    return groups.map((group, index) => {
      const entry = entryOfGroup[index] ?? Number.NaN
      const outcome = outcomes[entry]
      if (outcome === undefined) throw new TypeError(`the stream gave no outcome for entry ${entry}`)
      return { group, outcome }
    })
  }

  /** An entry ends when it is full, or where the counter of the ids starts again, so that `locate` finds every id. */
  #endOfEntry(groups: readonly WriteGroup[], from: number): number {
    let until = from + 1
    const limit = Math.min(groups.length, from + this.#groupsPerEntry)
    while (until < limit && (groups[until]?.ids.first ?? 0) > (groups[until - 1]?.ids.first ?? 0)) until++
    return until
  }

  #encode(groups: readonly WriteGroup[], from: number, until: number, slot: number): Entry {
    const buffer = (this.#buffers[slot] ??= Buffer.allocUnsafeSlow(this.#groupsPerEntry * groupBytes))
    let firstId = ''
    for (let index = from; index < until; index++) {
      const group = groups[index]
      if (group === undefined) break
      if (index === from) firstId = this.#ids.hex(group.ids, 0)
      writeGroup(group, this.#ids, this.#random, buffer, (index - from) * groupBytes)
    }
    const count = until - from
    return { documents: count * documentsPerGroup, body: buffer.subarray(0, count * groupBytes), firstId }
  }
}
