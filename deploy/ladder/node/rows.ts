import { waitFor } from '../daemon.ts'
import { addresses, ask, type ProofContext } from './proof.ts'

const list = `${addresses.scaler}/v1/rows`

interface Page {
  readonly rows: readonly { readonly id: string; readonly value: number; readonly lastTick: string }[]
}

/** Of how many new rows a tick was doubled, or lost, while something was done; the rows are taken away again. */
export async function ticksDuring(
  context: ProofContext,
  count: number,
  done: () => Promise<unknown>,
): Promise<{ readonly doubled: number; readonly lost: number }> {
  await ask(context, list, 'POST', JSON.stringify({ count }))
  const before = await offsets(context, count)
  await done()
  const after = await offsets(context, count)
  const differences = [...before].map(([id, offset]) => (after.get(id) ?? 0n) - offset)
  await ask(context, list, 'DELETE', JSON.stringify({ count }))
  return {
    doubled: differences.filter((difference) => difference > 0n).length,
    lost: differences.filter((difference) => difference < 0n).length,
  }
}

/** A row's value goes up by one with each tick: what it is ahead of its last tick never changes. */
const offsets = (context: ProofContext, count: number): Promise<ReadonlyMap<string, bigint>> =>
  waitFor('rows that are ticked', context.daemons, async () => {
    const page: Page = JSON.parse(await ask(context, `${list}?limit=1000`))
    if (page.rows.length < count || page.rows.some(({ value }) => value === 0)) return undefined
    return new Map(page.rows.map(({ id, value, lastTick }) => [id, BigInt(value) - BigInt(lastTick)]))
  })
