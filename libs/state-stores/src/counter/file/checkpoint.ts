import { crc32 } from 'node:zlib'
import type { TokenRecord } from '../fold.ts'
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

/** A state as it was at one moment. Counters and records never change, so references to them are a copy. */
export interface Checkpoint {
  readonly header: Header
  readonly counters: readonly Counter[]
  readonly tokens: readonly (readonly [string, TokenRecord])[]
}

/** O(counters + tokens), some 20 ms for a million. */
export function checkpoint(state: CounterState, commit: number, hasLog = true): Checkpoint {
  const header = { commit, lastVersion: state.lastVersion, writtenAtMs: state.nowMs, hasLog }
  return { header, counters: [...state.counters.values()], tokens: [...state.tokens] }
}

/** Lines between two pauses: about a millisecond's work, so that commits go on meanwhile. */
const linesPerSlice = 1_000

/** The bytes of a snapshot, a slice at a time; `pause` is awaited before each. */
export async function* encodeCheckpoint(
  { header, counters, tokens }: Checkpoint,
  pause: () => Promise<void>,
): AsyncGenerator<Uint8Array> {
  let crc = 0
  const bytes = (text: string): Uint8Array => {
    const encoded = Buffer.from(text)
    crc = crc32(encoded, crc)
    return encoded
  }
  yield bytes(headerLine(header) + countersBegin)
  for (const lines of slices(counters, counterLine)) {
    await pause()
    yield bytes(lines)
  }
  yield bytes(tokensBegin)
  for (const lines of slices(tokens, ([id, record]) => tokenLine(id, record))) {
    await pause()
    yield bytes(lines)
  }
  yield bytes(tokensEnd)
  yield Buffer.from(checksumLine(crc))
}

function* slices<T>(items: readonly T[], line: (item: T) => string): Generator<string> {
  for (let at = 0; at < items.length; at += linesPerSlice) {
    const lines = items.slice(at, at + linesPerSlice).map(line)
    yield (at === 0 ? '' : separator) + lines.join(separator)
  }
}
