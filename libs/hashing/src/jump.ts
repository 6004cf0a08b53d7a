/**
 * Jump consistent hash (Lamping and Veach 2014, arXiv 1406.2294): a bucket in `[0, buckets)` without any table.
 *
 * One more bucket moves 1/(n+1) of the keys, all of them to it. Only the last bucket can be removed; removing another one and
 * renumbering moves most keys. Balance is that of random keys. Cost: O(ln buckets), no memory.
 *
 * @param key 64 bits; `key64` makes them of a text.
 * @param buckets 1 to 2^31 - 1.
 */
export function jump(key: bigint, buckets: number): number {
  if (!(Number.isInteger(buckets) && buckets >= 1)) throw new RangeError(`buckets must be 1 or more, not ${buckets}`)
  let high = Number((key >> 32n) & 0xffff_ffffn) | 0
  let low = Number(key & 0xffff_ffffn) | 0
  let bucket = 0
  for (let next = 0; next < buckets;) {
    bucket = next
    // key = key * 2862933555777941757 + 1 in two halves: a bigint would cost an allocation per round.
    const product = multiplyLow(low) + 1
    high = (Math.imul(high, lowFactor) + Math.imul(low, highFactor) + Math.floor(product / 2 ** 32)) | 0
    low = (Math.imul(low, lowFactor) + 1) | 0
    next = Math.floor((bucket + 1) * (2 ** 31 / ((high >>> 1) + 1)))
  }
  return bucket
}

const factor = 2_862_933_555_777_941_757n
const lowFactor = Number(factor & 0xffff_ffffn) | 0
const highFactor = Number(factor >> 32n) | 0
const lowFactorHigh = Number((factor >> 16n) & 0xffffn)
const lowFactorLow = Number(factor & 0xffffn)

/** Bits above the lowest 16 of the unsigned product of `low` and the factor's low half; exact in its upper 32 bits. */
function multiplyLow(low: number): number {
  const unsigned = low >>> 0
  const lower = (unsigned & 0xffff) * lowFactorLow
  const middle = (unsigned >>> 16) * lowFactorLow + (lower - (lower % 65_536)) / 65_536
  const other = (unsigned & 0xffff) * lowFactorHigh + (middle % 65_536)
  const upper = (unsigned >>> 16) * lowFactorHigh + Math.floor(middle / 65_536) + Math.floor(other / 65_536)
  return upper * 2 ** 32 + (other % 65_536) * 65_536 + (lower % 65_536)
}
