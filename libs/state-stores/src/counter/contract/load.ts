import { setTimeout as delay } from 'node:timers/promises'
import { NotAppliedError, OutcomeUnknownError } from '../../outcome.ts'
import type { Addition } from '../history.ts'
import type { CounterStore } from '../port.ts'
import { add, one, token } from './operations.ts'

/** Adds 1 to `n/a` at a time, each under a token of its own with which it is repeated until it is answered. */
export async function addUntilStopped(store: CounterStore, client: string, stop: AbortSignal): Promise<Addition[]> {
  const additions: Addition[] = []
  while (!stop.aborted) {
    const key = `${client}-${additions.length}`
    const startedMs = performance.now()
    let value: bigint | undefined
    while (value === undefined) {
      value = await attempt(store, key)
      if (value === undefined) await delay(20)
    }
    additions.push({ key, by: 1n, startedMs, endedMs: performance.now(), value })
  }
  return additions
}

async function attempt(store: CounterStore, key: string): Promise<bigint | undefined> {
  try {
    const outcome = await one(store, add('n/a', 1n, { token: token(key) }))
    if (!outcome.ok) throw new TypeError(`refused: ${outcome.reason}`)
    return outcome.value
  } catch (error) {
    if (error instanceof NotAppliedError || error instanceof OutcomeUnknownError) return undefined
    throw error
  }
}
