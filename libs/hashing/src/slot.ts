/**
 * The slot of a row: a fixed, uniform map from uuid to `[0, slots)`, the same in TypeScript and in SQL.
 *
 * Multilinear hashing (Carter and Wegman 1979; Lemire and Kaser, "Strongly universal string hashing is fast", 2014):
 * `h = (c + sum of byte[i] * m[i]) mod 2^41`, and the slot is the top bits of h. All 128 bits count, so the rows that one
 * minute of uuidv7 makes do not share a slot. The widths are chosen for the two machines that compute it: 16 products
 * of 8 and 41 bits stay below 2^53 (exact in a double) and below 2^63 (no overflow in a PostgreSQL bigint).
 *
 * The constants are the first 41 bits of SHA-256("ballast slot <i>"), made odd. They are a storage format: never change them.
 */
export const slotMultipliers: readonly number[] = [
  0x0ea14f9a35f, 0x19d99654281, 0x12217efe915, 0x108638ad2d3, 0x1cfc3aff74d, 0x12457354e07, 0x1ed35e68031,
  0x1646c949cff, 0x09943eed9a1, 0x19a1a8ec3e1, 0x05bdcc3bb27, 0x03e33562d4f, 0x06e3db7909d, 0x14ebf76e063,
  0x1246fb89735, 0x00587894b7b,
]
export const slotOffset = 0x16dea980e87
export const slotHashBits = 41

/** Enough for 50 workers within 0.5 % of each other. A power of two: doubling splits each slot in two. */
export const defaultSlots = 16_384

const modulus = 2 ** slotHashBits
/** `contribution[position * 128 + character]`: what one hexadecimal digit at that position adds to h; NaN for others. */
const contribution = digitContributions()

/**
 * @param uuid 36 characters, upper or lower case.
 * @param slots a power of two up to 2^20.
 * @throws RangeError when it is not a uuid.
 */
export function slotOf(uuid: string, slots: number = defaultSlots): number {
  let sum = slotOffset
  let row = 0
  if (uuid.length !== 36) throw notUuid(uuid)
  for (let i = 0; i < 36; i++) {
    if (i === 8 || i === 13 || i === 18 || i === 23) continue
    // An array read beyond a row would mix up positions, so everything outside ASCII is sent to a hole.
    const code = uuid.charCodeAt(i)
    sum += contribution[row + (code < 128 ? code : 0)] ?? Number.NaN
    row += 128
  }
  if (Number.isNaN(sum) || hasNoHyphens(uuid)) throw notUuid(uuid)
  const hash = sum - Math.floor(sum / modulus) * modulus
  return Math.floor(hash / (modulus / slots))
}

function hasNoHyphens(uuid: string): boolean {
  return uuid[8] !== '-' || uuid[13] !== '-' || uuid[18] !== '-' || uuid[23] !== '-'
}

function notUuid(text: string): RangeError {
  return new RangeError(`not a uuid: ${JSON.stringify(text.slice(0, 64))}`)
}

function digitContributions(): Float64Array {
  const table = new Float64Array(32 * 128).fill(Number.NaN)
  for (let position = 0; position < 32; position++) {
    const multiplier = (slotMultipliers[position >> 1] ?? 0) * (position % 2 === 0 ? 16 : 1)
    for (let digit = 0; digit < 16; digit++) {
      const text = digit.toString(16)
      table[position * 128 + text.charCodeAt(0)] = digit * multiplier
      table[position * 128 + text.toUpperCase().charCodeAt(0)] = digit * multiplier
    }
  }
  return table
}
