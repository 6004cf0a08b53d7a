import { crc32 } from 'node:zlib'
import type { Folded } from '../fold.ts'
import type { Counter, CounterName } from '../port.ts'
import { DamageError } from './damage.ts'
import { counterLine, hex, tokenLine } from './lines.ts'
import { toBigint, toCounter, toList, toRecord, toTime, toToken } from './parse.ts'

/**
 * A log is text, one line per commit, so that it can be read with `less`:
 *
 * ```
 * <length> <crc32> {"format":"ballast-counter-log","formatVersion":1,"after":41}
 * <length> <crc32> {"commit":42,"atMs":1763712000000,"lastVersion":"43","counters":{"n/a":{...}},"removed":[],"tokens":[...]}
 * ```
 *
 * Length of the JSON in bytes and its crc32, 8 hexadecimal digits each. A record holds what became of the counters it
 * names, not what was done to them.
 */
export const logFormatVersion = 1

export type Change = Pick<Folded, 'counters' | 'tokens' | 'lastVersion'>

export interface LogRecord extends Change {
  readonly commit: number
  readonly atMs: number
}

const frameBytes = 18

export function frame(json: string): Buffer {
  const payload = Buffer.from(json)
  const head = `${hex(payload.byteLength)} ${hex(crc32(payload))} `
  return Buffer.concat([Buffer.from(head), payload, Buffer.from('\n')])
}

export const logHeader = (after: number): Buffer =>
  frame(JSON.stringify({ format: 'ballast-counter-log', formatVersion: logFormatVersion, after }))

export function encodeRecord({ commit, atMs, lastVersion, counters, tokens }: LogRecord): Buffer {
  const [present, removed]: [string[], string[]] = [[], []]
  for (const [name, counter] of counters) {
    if (counter === undefined) removed.push(`"${name}"`)
    else present.push(counterLine(counter))
  }
  const used = [...tokens].map(([id, record]) => tokenLine(id, record))
  return frame(
    `{"commit":${commit},"atMs":${atMs},"lastVersion":"${lastVersion}","counters":{${present.join(',')}},"removed":[${removed.join(',')}],"tokens":[${used.join(',')}]}`,
  )
}

export function decodeRecord(payload: unknown): LogRecord {
  const fields = toRecord(payload)
  const counters = new Map<CounterName, Counter | undefined>()
  for (const [name, of] of Object.entries(toRecord(fields['counters'])))
    counters.set(name, toCounter(name, toRecord(of)))
  for (const name of toList(fields['removed'])) counters.set(String(name), undefined)
  return {
    commit: toTime(fields['commit']),
    atMs: toTime(fields['atMs']),
    lastVersion: toBigint(fields['lastVersion']),
    counters,
    tokens: new Map(toList(fields['tokens']).map((token) => toToken(toList(token)))),
  }
}

/**
 * The records of a log. What a crash leaves of the last write is cut off: it ends in the middle, or some of its
 * sectors never came and are zeros (etcd's rule for its log). Anything else that does not fit is damage, because
 * everything before the last write had been synced and may have been acknowledged; so it is never cut off. Nor is a
 * record that is whole but for the line break behind it.
 */
export function readFrames(bytes: Buffer): unknown[] {
  const payloads: unknown[] = []
  let at = 0
  while (at < bytes.byteLength) {
    const end = endOfPayload(bytes, at)
    if (end === undefined) {
      if (isTorn(bytes, at)) break
      throw new DamageError(`the record at byte ${at} does not fit its checksum`)
    }
    if (!endsLine(bytes, end)) throw new DamageError(`the record at byte ${at} has no line break behind it`)
    payloads.push(JSON.parse(bytes.toString('utf8', at + frameBytes, end)))
    at = end + 1
  }
  return payloads
}

/** `undefined` when length and checksum do not prove that all of it is there. */
function endOfPayload(bytes: Buffer, at: number): number | undefined {
  const head = /^([0-9a-f]{8}) ([0-9a-f]{8}) $/.exec(bytes.toString('latin1', at, at + frameBytes))
  if (head === null) return undefined
  const [begin, end] = [at + frameBytes, at + frameBytes + Number.parseInt(head[1] ?? '', 16)]
  if (end > bytes.byteLength) return undefined
  return hex(crc32(bytes.subarray(begin, end))) === head[2] ? end : undefined
}

/** A crash can have kept the line break at the very end, or all of its sector, from coming. */
function endsLine(bytes: Buffer, end: number): boolean {
  const isLast = end >= bytes.byteLength - 1
  return bytes[end] === 0x0a || (isLast && (bytes[end] ?? 0) === 0)
}

const sectorBytes = 512

function isTorn(bytes: Buffer, at: number): boolean {
  const lineEnd = bytes.indexOf(0x0a, at)
  if (lineEnd < 0) return true
  // There is more behind this line, so it was synced.
  if (lineEnd !== bytes.byteLength - 1) return false
  for (let begin = at; begin < bytes.byteLength; begin = (Math.floor(begin / sectorBytes) + 1) * sectorBytes) {
    const sector = bytes.subarray(begin, (Math.floor(begin / sectorBytes) + 1) * sectorBytes)
    if (sector.every((byte) => byte === 0)) return true
  }
  return false
}
