// oxlint-disable-next-line typescript/triple-slash-reference -- projects which include this file must see the declaration, too
/// <reference path="./mongodb-wire.d.ts" />
import type { Db } from 'mongodb'
import { DocumentSequence } from 'mongodb/lib/cmap/commands.js'
import { OutcomeUnknownError } from '../outcome.ts'
import type { Document } from './port.ts'

export interface WriteError {
  readonly index: number
  readonly code: number
  readonly message: string
}

/** What a server takes in one command: 100,000 documents and 48,000,000 bytes, headers included. */
const maxDocuments = 100_000
const maxBytes = 47_900_000

/**
 * One `insert` command, unordered, answered when a majority has it in its journal. The documents travel as the bytes they
 * are: through `insertMany` each would be decoded and encoded again, which costs six microseconds and may change it.
 * A command by itself is never sent twice by the driver. Returns the refusals of single documents.
 */
export async function insertCommand(
  db: Db,
  collection: string,
  documents: readonly Document[],
  timeoutMs: number,
): Promise<readonly WriteError[]> {
  const sequence = new DocumentSequence('documents')
  let bytes = 0
  for (const { bson } of documents) {
    bytes += bson.byteLength
    sequence.push({}, bson)
  }
  if (documents.length > maxDocuments || bytes > maxBytes) {
    throw new RangeError(
      `${documents.length} documents of ${bytes} bytes; one command takes ${maxDocuments} and ${maxBytes}`,
    )
  }
  const reply = await db.command({
    insert: collection,
    ordered: false,
    writeConcern: { w: 'majority', j: true, wtimeout: timeoutMs },
    documents: sequence,
  })
  if (reply['writeConcernError'] !== undefined) {
    const { errmsg = 'no reason' } = reply['writeConcernError']
    throw new OutcomeUnknownError(`the majority did not confirm an insert: ${errmsg}`)
  }
  const errors: unknown = reply['writeErrors']
  const refused = Array.isArray(errors) ? errors.map(asWriteError) : []
  if (reply['n'] !== documents.length - refused.length) {
    throw new OutcomeUnknownError(
      `${reply['n']} of ${documents.length} documents were inserted, ${refused.length} refused`,
    )
  }
  return refused
}

function asWriteError(error: { index?: unknown; code?: unknown; errmsg?: unknown }): WriteError {
  const { index, code, errmsg } = error
  return { index: Number(index), code: Number(code), message: String(errmsg) }
}
