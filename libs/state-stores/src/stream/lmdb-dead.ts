import type { LmdbTable } from '../lmdb-environment.ts'
import type { BuriedDocument } from './port.ts'

const version = 1

/** A dead letter on disk: version (1 byte), length of the description (u32), description (JSON), body. */
export function encodeDead({ body, ...description }: BuriedDocument): Buffer {
  const json = Buffer.from(JSON.stringify(description))
  const header = Buffer.alloc(5)
  header[0] = version
  header.writeUInt32BE(json.length, 1)
  return Buffer.concat([header, json, body])
}

export function decodeDead(stored: Buffer): BuriedDocument {
  if (stored[0] !== version)
    throw new Error(`a dead letter of format ${stored[0]}; this release reads format ${version}`)
  const end = 5 + stored.readUInt32BE(1)
  return { ...JSON.parse(stored.toString('utf8', 5, end)), body: stored.subarray(end) }
}

/** Inside a transaction; never replaces a letter by a different one. False when it is there already. */
export function keepDead(table: LmdbTable, letter: BuriedDocument, sequence: number): boolean {
  const other = table.get(Buffer.from(letter.id))
  if (other !== undefined && Buffer.compare(decodeDead(other).body, letter.body) === 0) return false
  const id = other === undefined ? letter.id : `${letter.id}/${sequence}`
  table.put(Buffer.from(id), encodeDead({ ...letter, id }))
  return true
}
