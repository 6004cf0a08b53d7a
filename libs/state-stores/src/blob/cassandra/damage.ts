import { Client } from 'cassandra-driver'
import { chunkBytes } from '../hash.ts'
import type { Digest } from '../port.ts'
import { decodeHead } from './head.ts'
import type { CassandraTarget } from './target.ts'

const headerBytes = 16

/** For tests: flips one bit of a blob at rest, in its row or in the chunk that holds it. */
export async function flipBit(target: CassandraTarget, digest: Digest, at: number): Promise<void> {
  const { contactPoints, datacenter, keyspace, prefix } = target
  const client = new Client({
    contactPoints: [...contactPoints],
    localDataCenter: datacenter,
    keyspace,
    encoding: { useBigIntAsLong: true },
  })
  const execute = (query: string, values: (string | number | bigint | Buffer)[]) =>
    client.execute(query, values, { prepare: true })
  try {
    const { rows } = await execute(
      'SELECT namespace, key, head, body, writetime(head) AS written FROM blob_entries',
      [],
    )
    const row = rows.find(
      (each) =>
        String(each.get('namespace')).startsWith(`${prefix}/`) &&
        decodeHead(bytesOf(each.get('head'))).digest === digest,
    )
    if (row === undefined) throw new Error(`no entry of ${digest}`)
    const head = decodeHead(bytesOf(row.get('head')))
    const name = [String(row.get('namespace')), String(row.get('key'))]
    if (!head.chunked) {
      const body = flipped(row.get('body'), headerBytes + at)
      const update = 'UPDATE blob_entries USING TIMESTAMP ? SET body = ? WHERE namespace = ? AND key = ?'
      await execute(update, [BigInt(String(row.get('written'))) + 1n, body, ...name])
      return
    }
    const chunk = [head.generation, 0, Math.floor(at / chunkBytes)]
    const where = 'WHERE generation = ? AND part = ? AND n = ?'
    const found = (await execute(`SELECT body FROM blob_chunks ${where}`, chunk)).first()
    await execute(`UPDATE blob_chunks SET body = ? ${where}`, [flipped(found?.get('body'), at % chunkBytes), ...chunk])
  } finally {
    await client.shutdown()
  }
}

function flipped(stored: unknown, at: number): Buffer {
  const bytes = Buffer.from(bytesOf(stored))
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
  return bytes
}

function bytesOf(value: unknown): Buffer {
  if (Buffer.isBuffer(value)) return value
  throw new TypeError('no bytes are stored there')
}
