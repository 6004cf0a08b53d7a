import type { TokenRecord } from '../fold.ts'
import type { Counter } from '../port.ts'

/**
 * The snapshot: one JSON document, one line per counter and per token, numbers that JSON would round as strings.
 *
 * ```
 * {"format":"ballast-counter","formatVersion":1,"commit":3,"lastVersion":"3","writtenAtMs":1763712000000,
 * "counters":{
 * "default/counter":{"value":"2","version":"3"}
 * },
 * "tokens":[
 * ["7:default","k1","<fingerprint>",1763712600000,["2","1","3",null]]
 * ],
 * "crc32":"5f3a90c1"}
 * ```
 *
 * `crc32` covers every byte before it. Version 2 says that a log follows (`log.ts`): a release that does not
 * know the log must not take the snapshot for all there is.
 */
export const formatVersion = 1
export const formatVersionWithLog = 2

export interface Header {
  /** Goes up by one with each commit, so that it tells which of two contents this is. */
  readonly commit: number
  readonly lastVersion: bigint
  readonly writtenAtMs: number
  /** Commits after this one are in a log. */
  readonly hasLog?: boolean
  /** Which process wrote it, where several do. */
  readonly writer?: string
}

export function headerLine({ commit, lastVersion, writtenAtMs, hasLog = false, writer }: Header): string {
  const version = hasLog ? formatVersionWithLog : formatVersion
  const fields = { format: 'ballast-counter', formatVersion: version, commit, lastVersion: String(lastVersion) }
  return `${JSON.stringify({ ...fields, writtenAtMs, writer }).slice(0, -1)},\n`
}

export const countersBegin = '"counters":{\n'
export const tokensBegin = '\n},\n"tokens":[\n'
export const tokensEnd = '\n],\n'
export const separator = ',\n'

/** The last line, behind `tokensEnd`; `crc` is of all before it. */
export const checksumLine = (crc: number): string => `"crc32":"${hex(crc)}"}\n`

/** 8 digits for 32 bits. */
export const hex = (number: number): string => number.toString(16).padStart(8, '0')

export const withoutName = ({ value, version, expiresAtMs }: Counter): object => ({
  value: String(value),
  version: String(version),
  expiresAtMs,
})

export function counterLine({ name, value, version, expiresAtMs }: Counter): string {
  const expiry = expiresAtMs === undefined ? '' : `,"expiresAtMs":${expiresAtMs}`
  return `"${name}":{"value":"${value}","version":"${version}"${expiry}}`
}

export function tokenLine(id: string, { fingerprint, expiresAtMs, outcome }: TokenRecord): string {
  const answer = outcome.ok
    ? [[String(outcome.value), String(outcome.previous), String(outcome.version), outcome.expiresAtMs ?? null]]
    : [outcome.reason, ...(outcome.current ? [{ name: outcome.current.name, ...withoutName(outcome.current) }] : [])]
  return JSON.stringify([id, fingerprint, expiresAtMs, ...answer])
}
