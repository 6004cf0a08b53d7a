import { uncompressed } from './compressed.ts'

/** OP_MSG, the only message a driver of this decade sends after its greeting. */
const OP_MSG = 2013
const headerBytes = 16
const flagBytes = 4

export interface MongoMessage {
  /** Name of the command: `insert`, `find`, ...; undefined for what is not OP_MSG (the greeting). A compressed message is looked into. */
  readonly command: string | undefined
  /** True when the sender wants no answer. */
  readonly moreToCome: boolean
}

/**
 * Finds message boundaries and command names in one direction of MongoDB's wire protocol
 * (https://github.com/mongodb/specifications, "OP_MSG"): int32 length, request id, response to, opcode; then flags and
 * sections; the first key of the body document (section kind 0) is the command.
 */
export class MessageReader {
  #pieces: Buffer[] = []
  #held = 0
  /** Bytes that must be there before anything more can be said. */
  #needed = headerBytes

  /** The messages that begin in, or are completed by, these bytes. Cost: a message of several pieces is copied once. */
  read(chunk: Buffer): MongoMessage[] {
    this.#pieces.push(chunk)
    this.#held += chunk.length
    if (this.#held < this.#needed) return []
    let bytes = this.#pieces.length === 1 ? chunk : Buffer.concat(this.#pieces, this.#held)
    const messages: MongoMessage[] = []
    this.#needed = headerBytes
    while (bytes.length >= headerBytes) {
      const length = bytes.readInt32LE(0)
      if (length < headerBytes) throw new Error(`a MongoDB message cannot be ${length} bytes long`)
      this.#needed = length
      if (bytes.length < length) break
      messages.push(parse(bytes.subarray(0, length)))
      bytes = bytes.subarray(length)
      this.#needed = headerBytes
    }
    this.#pieces = [bytes]
    this.#held = bytes.length
    return messages
  }
}

function parse(received: Buffer): MongoMessage {
  const message = uncompressed(received)
  if (message.readInt32LE(12) !== OP_MSG) return { command: undefined, moreToCome: false }
  const moreToCome = (message.readUInt32LE(headerBytes) & 2) !== 0
  let offset = headerBytes + flagBytes
  while (offset < message.length) {
    const kind = message[offset]
    offset += 1
    if (kind === 0) return { command: firstKey(message, offset), moreToCome }
    // A document sequence: its own length counts itself, not the kind.
    offset += message.readInt32LE(offset)
  }
  return { command: undefined, moreToCome }
}

/** BSON: int32 length, then elements: one byte of type and the key up to a zero byte. */
function firstKey(message: Buffer, document: number): string {
  const start = document + 5
  return message.toString('utf8', start, message.indexOf(0, start))
}
