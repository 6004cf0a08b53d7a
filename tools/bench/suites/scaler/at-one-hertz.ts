import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { WorkerLease, WorkItemStore } from '@ballast/state-stores/work-item'
import type { BenchCase, Effort } from '../../case.ts'
import { addRows, leases, tableOf, type Table } from './table.ts'

const workers = 3
const heldMs = 1_000

/** How long, and how much of the full size: a run that only shows that it works is small. */
const lengthOf = ({ longMs, measureMs }: Effort) => ({
  durationMs: longMs ?? measureMs * 6,
  full: longMs !== undefined,
})

export const tickP99: BenchCase = {
  name: 'scaler/tick-p99-ms-300k',
  unit: 'ms',
  higherIsBetter: false,
  long: true,
  compares: `300,000 rows ticked once a second by ${workers} workers, with checkpoints, autovacuum and a backup; from due to committed`,
  async open(stack, effort) {
    const { durationMs, full } = lengthOf(effort)
    const table = await tableOf(stack, full ? 300_000 : 3_000)
    const held = await leases(table.store, workers)
    return { ours: once(async () => percentile(await tickAll(table, held, durationMs), 0.99)) }
  },
}

export const rowsAtOneHertz: BenchCase = {
  name: 'scaler/rows-at-1hz',
  unit: 'rows',
  higherIsBetter: true,
  long: true,
  compares: `the most rows, by steps of 50,000, of which 99 of 100 ticks are committed within ${heldMs} ms; ${workers} workers, checkpoints, a backup`,
  async open(stack, effort) {
    const { durationMs, full } = lengthOf(effort)
    const step = full ? 50_000 : 1_000
    const table = await tableOf(stack, 0)
    const held = await leases(table.store, workers)
    const mostSteps = full ? 20 : 2
    return {
      ours: once(async () => {
        for (let steps = 1; steps <= mostSteps; steps++) {
          await addRows(table.store, step)
          const p99 = percentile(await tickAll(table, held, durationMs / mostSteps), 0.99)
          if (p99 >= heldMs) return (steps - 1) * step
        }
        return mostSteps * step
      }),
    }
  },
}

/** It takes minutes and is its own warming up: further rounds get the same figure. */
function once(measure: () => Promise<number>): () => Promise<number> {
  let measured: Promise<number> | undefined
  return () => (measured ??= measure())
}

/** Milliseconds from when each tick was due until it was committed. Workers are spread over the second, as the service does. */
async function tickAll(table: Table, held: readonly WorkerLease[], durationMs: number): Promise<number[]> {
  const endMs = Date.now() + durationMs
  const took: number[] = []
  const backup = delay(durationMs / 2).then(() => backUp(table))
  await Promise.all(
    held.map(async (lease, i) => {
      const phaseMs = 50 + (i * 650) / held.length
      const firstMs = Math.ceil(Date.now() / 1_000) * 1_000 + phaseMs
      // What is due while a tick takes too long is late as well.
      for (let dueMs = firstMs; dueMs < endMs; dueMs += 1_000) {
        await delay(Math.max(0, dueMs - Date.now()))
        await tickOnce(table.store, lease)
        took.push(Date.now() - dueMs)
      }
    }),
  )
  await backup
  return took
}

async function tickOnce(store: WorkItemStore, lease: WorkerLease): Promise<void> {
  const outcome = await store.workers.tick(lease)
  if (outcome.kind !== 'ticked') throw new Error(`a tick was answered ${outcome.kind}`)
}

/** All rows in one snapshot, as pg_dump reads them; then a checkpoint. */
async function backUp({ client, folder }: Table): Promise<void> {
  await client.query(`COPY public.work_items TO '${join(folder, 'backup.copy')}'`)
  await client.query('CHECKPOINT')
}

function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]
  if (value === undefined) throw new RangeError('no percentile of nothing')
  return value
}
