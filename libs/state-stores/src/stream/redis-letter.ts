import type { BuriedDocument } from './port.ts'

/** As the scripts write it: one line of version, time, deliveries and bytes of the reason; then reason and body. */
export function decodeLetter(id: string, stored: Buffer): BuriedDocument {
  const end = stored.indexOf('\n')
  const [version, buriedAtMs, deliveries, reasonBytes] = stored.toString('latin1', 0, end).split(' ').map(Number)
  if (version !== 1) throw new Error(`dead letter ${id} has format ${version}; this release reads format 1`)
  const body = end + 1 + (reasonBytes ?? 0)
  return {
    id,
    reason: stored.toString('utf8', end + 1, body),
    buriedAtMs: buriedAtMs ?? 0,
    deliveries: deliveries ?? 0,
    body: stored.subarray(body),
  }
}
