import { slotHashBits, slotMultipliers, slotOffset } from '@ballast/hashing'

/** `slotOf(id, slots)` as an immutable SQL expression. */
export function slotExpression(id: string, slots: number): string {
  const terms = slotMultipliers.map((multiplier, i) => `get_byte(uuid_send(${id}), ${i})::bigint * ${multiplier}`)
  const mask = 2 ** slotHashBits - 1
  return `(((${slotOffset} + ${terms.join(' + ')}) & ${mask}) >> ${slotHashBits - Math.log2(slots)})::integer`
}
