import type { CounterState } from '../state.ts'
import { readCounterLine } from './counter-line.ts'
import { countersBegin, formatVersion, formatVersionWithLog, tokensBegin } from './lines.ts'
import { toList, toRecord, toToken } from './parse.ts'

export interface Raw {
  readonly header: Readonly<Record<string, unknown>>
}

export function checkFormat(header: Raw['header']): void {
  // Not damage, but somebody else's.
  if (header['format'] !== 'ballast-counter') throw new Error('it has another format')
  const { formatVersion: version } = header
  if (version !== formatVersion && version !== formatVersionWithLog) {
    throw new Error(`its format version is ${String(version)}, this release reads up to ${formatVersionWithLog}`)
  }
}

const [newline, comma, closingBracket, closingBrace] = [0x0a, 0x2c, 0x5d, 0x7d]

/**
 * Reads a snapshot that is laid out as this program writes it, a line at a time: a million counters take a second and
 * no text of the whole file, as JSON.parse would. Returns `undefined` for any other layout.
 */
export function readLines(bytes: Buffer, state: CounterState): Raw | undefined {
  const first = bytes.indexOf(newline) + 1
  if (!startsWith(bytes, first, countersBegin)) return undefined
  const header = parse(`${bytes.toString('utf8', 0, first).trimEnd().slice(0, -1)}}`)
  if (header === undefined) return undefined
  const record = toRecord(header)
  checkFormat(record)
  let at = first + countersBegin.length
  while (bytes[at] !== closingBrace || !startsWith(bytes, at - 1, tokensBegin)) {
    const end = bytes.indexOf(newline, at)
    if (end < 0) return undefined
    const next = end === at ? undefined : readCounterLine(bytes, at, end)
    if (end > at && next === undefined) return undefined
    if (next !== undefined) state.restoreCounter(next)
    at = end + 1
  }
  at += tokensBegin.length - 1
  for (;;) {
    const end = bytes.indexOf(newline, at)
    if (end < 0) return undefined
    if (bytes[at] === closingBracket) return { header: record }
    if (end > at) {
      const trailing = bytes[end - 1] === comma ? 1 : 0
      const fields = parse(bytes.toString('utf8', at, end - trailing))
      if (fields === undefined) return undefined
      state.restoreToken(...toToken(toList(fields)))
    }
    at = end + 1
  }
}

const startsWith = (bytes: Buffer, at: number, text: string): boolean =>
  bytes.toString('latin1', at, at + text.length) === text

/** `undefined` for what is no JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
