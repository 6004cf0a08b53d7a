import { randomBytes } from 'node:crypto'
import { isObject } from '../../platform/log-record.ts'
import { HttpClient } from '../http-client.ts'
import type { Visit } from '../visit.ts'
import { until } from '../until.ts'

const rows = 100
const watchedSeconds = 5
const timeoutMs = 60_000

interface Row {
  readonly id: string
  readonly value: number
  readonly lastTick: bigint
}

/** Rows of its own, next to one another in the order of ids, so that one page has them all; they are removed again. */
export const scaler: Visit = {
  name: 'scaler',
  title: `${rows} rows of their own, ticked once a second by whatever workers there are`,

  async run({ url, ca, headers, check, progress }) {
    using client = new HttpClient(url, { connections: 4, headers, ...(ca && { ca }) })
    const prefix = randomBytes(4).toString('hex')
    const idOf = (number: number): string => `${prefix}-0000-4000-8000-${number.toString(16).padStart(12, '0')}`
    const ids = Array.from({ length: rows }, (_, index) => idOf(index + 1))
    const send = async (method: string): Promise<number> => {
      const body = JSON.stringify({ ids })
      const json = { 'content-type': 'application/json' }
      return (await client.call({ method, path: '/v1/rows', headers: json, body })).status
    }
    const read = async (): Promise<ReadonlyMap<string, Row>> => {
      const page = await client.json(`/v1/rows?after=${idOf(0)}&limit=${rows}`)
      const list: unknown[] = isObject(page) && Array.isArray(page['rows']) ? page['rows'] : []
      return new Map(list.flatMap(asRow).map((row) => [row.id, row]))
    }
    const added = await send('POST')
    check('rows are added', added === 201, `status ${added}`)
    try {
      progress('  waiting for workers to tick them')
      const first = await until('every row to be ticked', timeoutMs, async () => {
        const now = await read()
        return ids.every((id) => (now.get(id)?.value ?? 0) > 0) ? now : undefined
      })
      const later = await until('every row to be ticked again', timeoutMs, async () => {
        const now = await read()
        return ids.every((id) => ticks(now, id) - ticks(first, id) >= watchedSeconds) ? now : undefined
      })
      const wrong = ids.filter((id) => offset(first, id) !== offset(later, id))
      const seconds = Number(ticks(later, ids[0] ?? '') - ticks(first, ids[0] ?? ''))
      check(
        'no tick is credited twice, none is lost',
        wrong.length === 0,
        `${rows - wrong.length} of ${rows} rows over ${seconds} s`,
      )
    } finally {
      const removed = await send('DELETE')
      check('the rows are removed', removed === 200, `status ${removed}`)
    }
  },
}

const ticks = (from: ReadonlyMap<string, Row>, id: string): bigint => from.get(id)?.lastTick ?? 0n

/** Constant, unless a tick was credited twice or lost: each adds one to the value, and one second to the last tick. */
const offset = (from: ReadonlyMap<string, Row>, id: string): bigint =>
  BigInt(from.get(id)?.value ?? 0) - ticks(from, id)

function asRow(row: unknown): Row[] {
  if (!isObject(row) || typeof row['value'] !== 'number') return []
  return [{ id: String(row['id']), value: row['value'], lastTick: BigInt(String(row['lastTick'])) }]
}
