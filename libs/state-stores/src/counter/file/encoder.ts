import type { Folded } from '../fold.ts'
import type { Counter } from '../port.ts'
import type { CounterState } from '../state.ts'
import { counterLine, headerLine, tokenLine } from './snapshot.ts'

const tokensPerSegment = 512
const separator = ',\n'
const separatorBytes = Buffer.from(separator)

interface Segment {
  readonly bytes: Uint8Array
  /** When the last of its tokens is forgotten. */
  readonly expiresAtMs: number
}

/** The next content of the file; `accept` it once it is durable. */
export interface Prepared {
  readonly commit: number
  readonly chunks: readonly Uint8Array[]
  readonly byteLength: number
  readonly tokenLines: readonly string[]
  readonly folded: Folded
}

/**
 * Turns state into the bytes of a snapshot. Only what changed is formatted: the text of a counter is kept with it, and
 * tokens, which never change, are kept as bytes by the 512. So 10,000 tokens cost a commit a copy, not a serialisation.
 */
export class SnapshotEncoder {
  readonly #state: CounterState
  readonly #lines = new WeakMap<Counter, string>()
  #segments: Segment[] = []
  /** Tokens behind the last full segment. */
  #open: string[] = []
  #openExpiresAtMs = 0

  constructor(state: CounterState) {
    this.#state = state
    this.#take(
      state.tokens,
      [...state.tokens].map(([id, record]) => tokenLine(id, record)),
    )
  }

  prepare(commit: number, folded: Folded): Prepared {
    const { nowMs } = this.#state
    this.#segments = this.#segments.filter(({ expiresAtMs }) => expiresAtMs > nowMs)
    const tokenLines = [...folded.tokens].map(([id, record]) => tokenLine(id, record))
    const head = headerLine({ commit, lastVersion: folded.lastVersion, writtenAtMs: nowMs })
    const chunks: Uint8Array[] = [
      Buffer.from(`${head}"counters":{\n${this.#counterLines(folded).join(separator)}\n},\n"tokens":[\n`),
    ]
    const open = [...this.#open, ...tokenLines]
    const lists = this.#segments.map(({ bytes }) => bytes)
    if (open.length > 0) lists.push(Buffer.from(open.join(separator)))
    for (const [index, list] of lists.entries()) chunks.push(...(index === 0 ? [list] : [separatorBytes, list]))
    chunks.push(Buffer.from('\n]}\n'))
    let byteLength = 0
    for (const chunk of chunks) byteLength += chunk.byteLength
    return { commit, chunks, byteLength, tokenLines, folded }
  }

  accept({ folded, tokenLines }: Prepared): void {
    this.#state.merge(folded)
    this.#take(folded.tokens, tokenLines)
  }

  #counterLines(folded: Folded): string[] {
    const lines: string[] = []
    for (const counter of this.#state.counters.values()) {
      if (!folded.counters.has(counter.name)) lines.push(this.#line(counter))
    }
    for (const counter of folded.counters.values()) if (counter !== undefined) lines.push(this.#line(counter))
    return lines
  }

  #line(counter: Counter): string {
    let line = this.#lines.get(counter)
    if (line === undefined) {
      line = counterLine(counter)
      this.#lines.set(counter, line)
    }
    return line
  }

  #take(tokens: Folded['tokens'], lines: readonly string[]): void {
    let index = 0
    for (const { expiresAtMs } of tokens.values()) {
      this.#open.push(lines[index++] ?? '')
      this.#openExpiresAtMs = Math.max(this.#openExpiresAtMs, expiresAtMs)
      if (this.#open.length >= tokensPerSegment) this.#seal()
    }
  }

  #seal(): void {
    this.#segments.push({ bytes: Buffer.from(this.#open.join(separator)), expiresAtMs: this.#openExpiresAtMs })
    this.#open = []
    this.#openExpiresAtMs = 0
  }
}
