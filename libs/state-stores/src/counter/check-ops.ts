import { fits64Bits, type CounterOp } from './port.ts'

/** One part of a name. "." and ".." are left out, because no URL path can hold them. */
export const namePartPattern = '(?!\\.{1,2}(?:/|$))[A-Za-z0-9._:-]{1,128}'

const name = new RegExp(`^${namePartPattern}/${namePartPattern}$`)

export const isCounterName = (text: string): boolean => name.test(text)

/** Rejects with `RangeError` what no store may see; the caller's mistake, so nothing of the batch is applied. */
export function checkOps(ops: readonly CounterOp[]): void {
  for (const op of ops) {
    if (!isCounterName(op.name)) throw new RangeError(`"${op.name}" is no counter name`)
    if (op.kind === 'remove') continue
    const numbers = op.kind === 'add' ? [op.by, op.min ?? 0n, op.max ?? 0n] : [op.to]
    const outside = numbers.find((number) => !fits64Bits(number))
    if (outside !== undefined) throw new RangeError(`${outside} does not fit 64 bits`)
    if (op.kind === 'set' && op.aboveVersion !== undefined && (op.aboveVersion < 0n || op.aboveVersion > 2n ** 62n)) {
      throw new RangeError(`${op.aboveVersion} is no version`)
    }
    if (op.expiresAtMs !== undefined && op.expiresAtMs !== null && !Number.isSafeInteger(op.expiresAtMs)) {
      throw new RangeError(`an expiry of ${op.expiresAtMs} is no time`)
    }
  }
}
