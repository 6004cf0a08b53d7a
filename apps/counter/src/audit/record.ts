import { hash } from 'node:crypto'

/** One change, as the audit log tells of it. */
export interface AuditRecord {
  /** Unix ms by the store's clock. */
  readonly atMs: number
  /**
   * `statement`: not a change, but what the store held when the log was opened and differed from it: what was there
   * before the log was, or was applied by a process that ended before it could write it down (and answered nobody).
   */
  readonly op: 'add' | 'set' | 'remove' | 'statement'
  readonly name: string
  /** The value now less the value before. */
  readonly delta: bigint
  readonly value: bigint
  readonly version: bigint
  /** Of a statement: the counter is not there. Its version is the last one this log knew of, for nobody can see a later one. */
  readonly absent?: true
  readonly expiresAtMs?: number
  /** The principal. */
  readonly by: string
  /** Digest of the Idempotency-Key and its scope; the key itself is the caller's secret. */
  readonly token?: string
}

/** What the first line's checksum follows on. */
export const firstChain = '0'.repeat(16)

/** 64 bits of SHA-256 over the checksum of the line before and this line: a line cannot be changed, lost or moved unseen. */
export const chainOf = (previous: string, body: string): string => hash('sha256', `${previous}${body}`).slice(0, 16)

/** `<checksum> <JSON>`, without the line break. */
export function encodeRecord(record: AuditRecord, previous: string): { readonly line: string; readonly chain: string } {
  const body = JSON.stringify(record, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
  const chain = chainOf(previous, body)
  return { line: `${chain} ${body}`, chain }
}

/** `undefined` when the line is not the one that followed. */
export function decodeRecord(line: string, previous: string): { record: AuditRecord; chain: string } | undefined {
  const [chain, body] = [line.slice(0, 16), line.slice(17)]
  if (chainOf(previous, body) !== chain) return undefined
  const fields: unknown = JSON.parse(body)
  return isFields(fields) ? { record: toRecord(fields), chain } : undefined
}

type Fields = Omit<AuditRecord, 'delta' | 'value' | 'version'> & Record<'delta' | 'value' | 'version', string>

/** The checksum says that we have written it: only a later format could be something else. */
function isFields(fields: unknown): fields is Fields {
  return typeof fields === 'object' && fields !== null && 'version' in fields && 'delta' in fields && 'name' in fields
}

const toRecord = ({ delta, value, version, ...rest }: Fields): AuditRecord => ({
  ...rest,
  delta: BigInt(delta),
  value: BigInt(value),
  version: BigInt(version),
})
