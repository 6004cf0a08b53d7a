import { slotHashBits, slotMultipliers, slotOffset } from '@ballast/hashing'

/** `slotOf(id, slots)` as an immutable SQL expression, the same whatever the `search_path` of who runs it has to say. */
export function slotExpression(id: string, slots: number): string {
  const bytes = `pg_catalog.uuid_send(${id})`
  const terms = slotMultipliers.map(
    (multiplier, i) => `pg_catalog.get_byte(${bytes}, ${i})::pg_catalog.int8 OPERATOR(pg_catalog.*) ${multiplier}`,
  )
  const sum = terms.map((term) => `(${term})`).join(' OPERATOR(pg_catalog.+) ')
  const hash = `(${slotOffset} OPERATOR(pg_catalog.+) ${sum}) OPERATOR(pg_catalog.&) ${2 ** slotHashBits - 1}`
  return `((${hash}) OPERATOR(pg_catalog.>>) ${slotHashBits - Math.log2(slots)})::pg_catalog.int4`
}
