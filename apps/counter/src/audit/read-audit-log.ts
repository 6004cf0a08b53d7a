import { open } from 'node:fs/promises'
import { decodeRecord, firstChain, type AuditRecord } from './record.ts'

/** A log that was changed after it was written, or lost something before its end. */
export class DamagedAuditLogError extends Error {
  override readonly name = 'DamagedAuditLogError'
}

export interface AuditLogEnd {
  readonly records: number
  readonly chain: string
  /** Of what is whole. */
  readonly bytes: number
  /** Of a line behind it that was being written when the process died; nobody was answered for it. */
  readonly tornBytes: number
}

/**
 * Gives every record of a log, in order; none when there is no such file. Only a last line without a line break counts
 * as torn. Rejects with `DamagedAuditLogError`, which names the line and where it begins. Memory: one line.
 */
export async function readAuditLog(path: string, visit: (record: AuditRecord) => void): Promise<AuditLogEnd> {
  let [records, chain, bytes] = [0, firstChain, 0]
  let rest: Buffer = Buffer.alloc(0)
  const take = (line: Buffer): void => {
    const decoded = decodeRecord(line.toString('utf8'), chain)
    if (decoded === undefined) {
      throw new DamagedAuditLogError(
        `${path} is damaged: line ${records + 1}, at byte ${bytes}, is not what was written`,
      )
    }
    visit(decoded.record)
    chain = decoded.chain
    records += 1
    bytes += line.length + 1
  }
  for await (const part of partsOf(path)) {
    rest = rest.length === 0 ? part : Buffer.concat([rest, part])
    let start = 0
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10, start)) {
      take(rest.subarray(start, end))
      start = end + 1
    }
    rest = rest.subarray(start)
  }
  return { records, chain, bytes, tornBytes: rest.length }
}

async function* partsOf(path: string): AsyncGenerator<Buffer> {
  try {
    await using file = await open(path, 'r')
    for await (const part of file.createReadStream({ autoClose: false, highWaterMark: 1 << 20 })) {
      yield Buffer.isBuffer(part) ? part : Buffer.from(String(part))
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
}
