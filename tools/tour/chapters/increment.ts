import { setTimeout as delay } from 'node:timers/promises'
import type { Addition } from '@ballast/state-stores/counter/history'
import { isObject } from '../../platform/log-record.ts'
import type { HttpClient } from '../http-client.ts'

const json = { 'content-type': 'application/json' }

/** Adds 1 under a key, again and again under the same one until it is answered. */
export async function increment(
  client: HttpClient,
  { path = '/', body, key, onRetry }: { path?: string; body?: string; key: string; onRetry: () => void },
): Promise<Addition> {
  const startedMs = performance.now()
  for (;;) {
    const reply = await client
      .call({
        method: 'POST',
        path,
        headers: { 'idempotency-key': `"${key}"`, ...(body && json) },
        ...(body && { body }),
      })
      .catch(() => undefined)
    if (reply?.status === 200) return { key, by: 1n, startedMs, endedMs: performance.now(), value: valueIn(reply.body) }
    // A refusal that a repetition cannot change is a fault of the tour or of the counter.
    if (reply !== undefined && reply.status < 500) throw new Error(`${key} was answered ${reply.status}: ${reply.body}`)
    onRetry()
    await delay(20 + Math.random() * 80)
  }
}

/** The original's answer has `counter`, that of a named counter `value`. */
export function valueIn(body: string): bigint {
  const answer: unknown = JSON.parse(body)
  const value = isObject(answer) ? (answer['counter'] ?? answer['value']) : undefined
  if (typeof value === 'number' || typeof value === 'string') return BigInt(value)
  throw new Error(`no counter in ${body}`)
}
