import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Addition, Reading } from '@ballast/state-stores/counter/history'

/** Where the service is now; `undefined` while it is down. */
export type Where = () => string | undefined

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

async function ask(url: string, init?: RequestInit): Promise<bigint | undefined> {
  try {
    const answer = await fetch(url, { ...init, signal: AbortSignal.timeout(5_000) })
    const body: unknown = await answer.json()
    if (answer.ok && isRecord(body)) return BigInt(String(body['counter']))
    // Too late for a process that got no turn, busy with the same key, not applied, unknown, or about to stop: all of
    // these are reasons to repeat the request.
    if (answer.status === 408 || answer.status === 409 || answer.status >= 500) return undefined
    throw new TypeError(`unexpected answer ${answer.status}: ${JSON.stringify(body)}`)
  } catch (error) {
    if (error instanceof TypeError && error.message.startsWith('unexpected')) throw error
    return undefined
  }
}

/** Adds 1 at a time, each with a key of its own under which it is repeated until it is answered. */
export async function addUntilStopped(where: Where, stop: AbortSignal): Promise<Addition[]> {
  const additions: Addition[] = []
  while (!stop.aborted) {
    const key = randomUUID()
    const startedMs = performance.now()
    let value: bigint | undefined
    while (value === undefined) {
      const url = where()
      if (url !== undefined) value = await ask(url, { method: 'POST', headers: { 'idempotency-key': key } })
      if (value === undefined) await delay(5)
    }
    additions.push({ key, by: 1n, startedMs, endedMs: performance.now(), value })
  }
  return additions
}

export async function readUntilStopped(where: Where, stop: AbortSignal): Promise<Reading[]> {
  const readings: Reading[] = []
  while (!stop.aborted) {
    const url = where()
    const startedMs = performance.now()
    const value = url === undefined ? undefined : await ask(url)
    if (value !== undefined) readings.push({ startedMs, endedMs: performance.now(), value })
    await delay(5)
  }
  return readings
}
