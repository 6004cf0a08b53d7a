import { crc32 } from 'node:zlib'
import type { Folded } from '../fold.ts'
import type { Counter } from '../port.ts'
import type { CounterState } from '../state.ts'
import {
  checksumLine,
  counterLine,
  countersBegin,
  headerLine,
  separator,
  tokenLine,
  tokensBegin,
  tokensEnd,
  type Header,
} from './lines.ts'

const tokensPerSegment = 512
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

  prepare(commit: number, folded: Folded, extra: Pick<Header, 'hasLog' | 'writer'> = {}): Prepared {
    const { nowMs } = this.#state
    this.#segments = this.#segments.filter(({ expiresAtMs }) => expiresAtMs > nowMs)
    const tokenLines = [...folded.tokens].map(([id, record]) => tokenLine(id, record))
    const head = headerLine({ commit, lastVersion: folded.lastVersion, writtenAtMs: nowMs, ...extra })
    const chunks: Uint8Array[] = [
      Buffer.from(`${head}${countersBegin}${this.#counterLines(folded).join(separator)}${tokensBegin}`),
    ]
    const open = [...this.#open, ...tokenLines]
    const lists = this.#segments.map(({ bytes }) => bytes)
    if (open.length > 0) lists.push(Buffer.from(open.join(separator)))
    for (const [index, list] of lists.entries()) chunks.push(...(index === 0 ? [list] : [separatorBytes, list]))
    chunks.push(Buffer.from(tokensEnd))
    let [crc, byteLength] = [0, 0]
    for (const chunk of chunks) [crc, byteLength] = [crc32(chunk, crc), byteLength + chunk.byteLength]
    const last = Buffer.from(checksumLine(crc))
    chunks.push(last)
    byteLength += last.byteLength
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
