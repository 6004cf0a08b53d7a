import type { FamilyUsage } from '../port.ts'

/*
 * Format 1; every value begins with the format's number, numbers are big-endian.
 *
 * families  key: 0 and a family   value: 1, entries (6), bytes (6)
 *           key: 1 and a family   value: 1; all of its entries are in `uses`
 *           key: 2                value: 1; all families are counted
 * uses      key: that of an entry value: 1, when it was last used, unix ms (6)
 * order     key: length of the family (1), family, when (6), key of the entry   value: 1
 */
const format = Buffer.from([1])

export const present = format
export const countedKey = Buffer.from([2])

export function familyKey(family: string): Buffer {
  return Buffer.concat([Buffer.from([0]), Buffer.from(family)])
}

export function trackedKey(family: string): Buffer {
  return Buffer.concat([Buffer.from([1]), Buffer.from(family)])
}

export function encodeUsage({ entries, sizeBytes }: FamilyUsage): Buffer {
  const value = Buffer.alloc(13)
  value[0] = 1
  value.writeUIntBE(entries, 1, 6)
  value.writeUIntBE(sizeBytes, 7, 6)
  return value
}

export function decodeUsage(value: Buffer): FamilyUsage {
  return { entries: value.readUIntBE(1, 6), sizeBytes: value.readUIntBE(7, 6) }
}

export function encodeUse(atMs: number): Buffer {
  const value = Buffer.alloc(7)
  value[0] = 1
  value.writeUIntBE(atMs, 1, 6)
  return value
}

export function decodeUse(value: Buffer): number {
  return value.readUIntBE(1, 6)
}

function time(atMs: number): Buffer {
  const bytes = Buffer.alloc(6)
  bytes.writeUIntBE(atMs, 0, 6)
  return bytes
}

function prefix(family: string): Buffer {
  return Buffer.concat([Buffer.from([family.length]), Buffer.from(family)])
}

export function orderKey(family: string, atMs: number, entry: Uint8Array): Buffer {
  return Buffer.concat([prefix(family), time(atMs), entry])
}

/** All of a family, the least recently used first. */
export function orderRange(family: string): { start: Buffer; end: Buffer } {
  return { start: prefix(family), end: Buffer.concat([prefix(family), Buffer.alloc(7, 0xff)]) }
}

export function decodeOrder(family: string, key: Buffer): { readonly usedAtMs: number; readonly entry: Buffer } {
  const at = 1 + family.length
  return { usedAtMs: key.readUIntBE(at, 6), entry: key.subarray(at + 6) }
}
