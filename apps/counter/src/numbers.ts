import { fits64Bits } from '@ballast/state-stores/counter'
import { Type } from 'typebox'
import { problems } from './problems.ts'

/** What clients may send: a JSON number while JSON is exact, a string of digits always. */
export const Int64Input = Type.Union(
  [
    Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }),
    Type.String({ pattern: '^-?[0-9]{1,19}$' }),
  ],
  { description: 'A 64-bit whole number: a JSON number up to 2^53 - 1, or a string of digits.' },
)

/** What clients get: always a string, so that no parser rounds it. */
export const Int64Output = Type.String({ pattern: '^-?[0-9]+$', description: 'A 64-bit whole number in digits.' })

/** Throws the problem `invalid-number`, naming the field. */
export function toInt64(input: number | string, field: string): bigint {
  const number = BigInt(input)
  if (fits64Bits(number)) return number
  throw problems.create('invalid-number', `${field} is ${number}, but a counter holds -(2^63) to 2^63 - 1.`)
}
