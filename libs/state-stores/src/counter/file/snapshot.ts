import { crc32 } from 'node:zlib'
import { CounterState } from '../state.ts'
import type { CounterName } from '../port.ts'
import { DamageError } from './damage.ts'
import { formatVersionWithLog, hex } from './lines.ts'
import { toBigint, toCounter, toList, toRecord, toText, toTime, toToken } from './parse.ts'
import { checkFormat, readLines, type Raw } from './read-lines.ts'

export interface Snapshot {
  readonly state: CounterState
  /** The last commit that is in it. */
  readonly commit: number
  /** The commits after it are in a log. */
  readonly hasLog: boolean
  /** Which process wrote it, where several do. */
  readonly writer?: string
}

/** A bare number, {"count":n} or {"counter":n}: the file of a program that had one counter. Digits, not JSON: n may exceed 2^53. */
const singleCounter = /^\s*(?:\{\s*"count(?:er)?"\s*:\s*(-?\d+)\s*\}|(-?\d+))\s*$/
const singleCounterBytes = 200

/** Where the counter of such a file goes. */
export const defaultCounter: CounterName = 'default/counter'

/** Throws with what is wrong; whoever calls knows the file's name. O(size), and without a second copy of it. */
export function decodeSnapshot(bytes: Buffer): Snapshot {
  const single = bytes.byteLength <= singleCounterBytes ? singleCounter.exec(decodeText(bytes)) : null
  const state = new CounterState()
  if (single !== null) {
    state.restoreCounter({ name: defaultCounter, value: toBigint(single[1] ?? single[2]), version: 1n })
    state.lastVersion = 1n
    return { state, commit: 0, hasLog: false }
  }
  verifyChecksum(bytes)
  const raw = readLines(bytes, state) ?? readJson(bytes, state)
  state.lastVersion = toBigint(raw.header['lastVersion'])
  checkVersions(state)
  state.advance(toTime(raw.header['writtenAtMs']))
  const { writer } = raw.header
  const hasLog = raw.header['formatVersion'] === formatVersionWithLog
  return {
    state,
    commit: toTime(raw.header['commit']),
    hasLog,
    ...(writer !== undefined && { writer: toText(writer) }),
  }
}

const checksum = /"crc32":"([0-9a-f]{8})"\}\s*$/

/** A file without one is one of an earlier release, or one that was edited by hand and lost it for that. */
function verifyChecksum(bytes: Buffer): void {
  const tailStart = Math.max(0, bytes.byteLength - 64)
  const found = checksum.exec(bytes.toString('latin1', tailStart))
  if (found === null) return
  const actual = hex(crc32(bytes.subarray(0, tailStart + found.index)))
  if (actual !== found[1]) {
    throw new DamageError(`its checksum is ${found[1]}, that of its content ${actual}: it was damaged or edited`)
  }
}

/** The whole document at once: for a file that somebody has laid out anew. */
function readJson(bytes: Buffer, state: CounterState): Raw {
  const header = toRecord(parseJson(decodeText(bytes)))
  checkFormat(header)
  for (const [name, fields] of Object.entries(toRecord(header['counters']))) {
    state.restoreCounter(toCounter(name, toRecord(fields)))
  }
  for (const fields of toList(header['tokens'])) state.restoreToken(...toToken(toList(fields)))
  return { header }
}

function decodeText(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw new DamageError('it is no text', { cause: error })
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new DamageError(error instanceof Error ? error.message : 'it is no JSON', { cause: error })
  }
}

/** A version that is given twice would let a stale condition hold. */
function checkVersions({ counters, tokens, lastVersion }: CounterState): void {
  for (const { name, version } of counters.values()) {
    if (version > lastVersion)
      throw new TypeError(`${name} has version ${version}, behind the last one, ${lastVersion}`)
  }
  for (const { outcome } of tokens.values()) {
    if (outcome.ok && outcome.version > lastVersion) {
      throw new TypeError(`a token has version ${outcome.version}, behind the last one, ${lastVersion}`)
    }
  }
}
