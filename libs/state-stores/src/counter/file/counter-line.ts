import { isCounterName } from '../check-ops.ts'
import { fits64Bits, type Counter } from '../port.ts'

const [quote, comma, minus, zero, nine] = [0x22, 0x2c, 0x2d, 0x30, 0x39]
const beforeValue = Buffer.from('":{"value":"')
const beforeVersion = Buffer.from('","version":"')
const beforeExpiry = Buffer.from('","expiresAtMs":')
const [afterVersion, afterExpiry] = [Buffer.from('"}'), Buffer.from('}')]

/** So many digits are exact in a number, whatever they are. */
const exactDigits = 15

/**
 * Reads what `counterLine` wrote, between `at` and `end`, with or without a comma behind it; `undefined` for anything
 * else. Looks at bytes, for a million lines: texts of each line and its parts would be most of the memory that reading takes.
 */
export function readCounterLine(bytes: Buffer, at: number, end: number): Counter | undefined {
  if (bytes[at] !== quote) return undefined
  const nameEnd = bytes.indexOf(quote, at + 1)
  if (nameEnd < 0 || nameEnd >= end || !holds(bytes, nameEnd, beforeValue)) return undefined
  const name = bytes.toString('latin1', at + 1, nameEnd)
  const valueAt = nameEnd + beforeValue.length
  const valueEnd = endOfDigits(bytes, valueAt, 19)
  if (!isCounterName(name) || !holds(bytes, valueEnd, beforeVersion)) return undefined
  const versionAt = valueEnd + beforeVersion.length
  const versionEnd = endOfDigits(bytes, versionAt, 19)
  const value = toInt64(bytes, valueAt, valueEnd)
  const version = toInt64(bytes, versionAt, versionEnd)
  if (value === undefined || version === undefined) return undefined
  if (holds(bytes, versionEnd, afterVersion)) {
    return isEnd(bytes, versionEnd + afterVersion.length, end) ? { name, value, version } : undefined
  }
  const expiryAt = versionEnd + beforeExpiry.length
  const expiryEnd = endOfDigits(bytes, expiryAt, 16)
  if (!holds(bytes, versionEnd, beforeExpiry) || !holds(bytes, expiryEnd, afterExpiry)) return undefined
  const expiresAtMs = toInt64(bytes, expiryAt, expiryEnd)
  if (expiresAtMs === undefined || !isEnd(bytes, expiryEnd + afterExpiry.length, end)) return undefined
  return { name, value, version, expiresAtMs: Number(expiresAtMs) }
}

const isEnd = (bytes: Buffer, at: number, end: number): boolean => at === end || (at === end - 1 && bytes[at] === comma)

function holds(bytes: Buffer, at: number, text: Buffer): boolean {
  for (let index = 0; index < text.length; index++) if (bytes[at + index] !== text[index]) return false
  return true
}

/** Behind a minus, if there is one, and at most so many digits. */
function endOfDigits(bytes: Buffer, at: number, most: number): number {
  let end = bytes[at] === minus ? at + 1 : at
  const limit = end + most
  for (; end < limit; end++) {
    const byte = bytes[end] ?? 0
    if (byte < zero || byte > nine) break
  }
  return end
}

/** `undefined` where there is no digit, and for what does not fit. */
function toInt64(bytes: Buffer, at: number, end: number): bigint | undefined {
  const isNegative = bytes[at] === minus
  const first = isNegative ? at + 1 : at
  if (first === end) return undefined
  if (end - first > exactDigits) {
    const large = BigInt(bytes.toString('latin1', at, end))
    return fits64Bits(large) ? large : undefined
  }
  let number = 0
  for (let index = first; index < end; index++) number = number * 10 + (bytes[index] ?? 0) - zero
  return BigInt(isNegative ? -number : number)
}
