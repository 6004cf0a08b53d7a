import type { Digest, EntryName } from './port.ts'

const namespace = /^[a-z0-9._-]{1,64}$/
const digest = /^[0-9a-f]{64}$/

/** A name that no store takes is a mistake of the program, not of its user: `RangeError`. */
export function assertName(name: EntryName, longestKeyBytes = 1024): void {
  const keyBytes = Buffer.byteLength(name.key)
  if (!namespace.test(name.namespace)) throw new RangeError(`not a namespace: ${JSON.stringify(name.namespace)}`)
  if (keyBytes < 1 || keyBytes > longestKeyBytes)
    throw new RangeError(`a key has 1 to ${longestKeyBytes} bytes, not ${keyBytes}`)
}

export function isDigest(text: string): text is Digest {
  return digest.test(text)
}
