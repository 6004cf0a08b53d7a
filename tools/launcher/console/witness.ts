import { createHash, randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { isRecord } from '@ballast/console'

export interface PromiseReport {
  readonly service: string
  readonly what: string
  /** Of those that are still looked at. */
  readonly acknowledged: number
  readonly found: number
  readonly missing: number
  /** Undefined where an id makes it impossible. */
  readonly doubled?: number
  /** Why nothing could be found out just now; the numbers are then those of before. */
  readonly trouble?: string
}

export interface WitnessReport {
  readonly running: boolean
  readonly promises: readonly PromiseReport[]
  readonly checkedAtMs: number | null
}

/** One round: an effect that is to be acknowledged, then a look at all that were. Throws when the service does not answer. */
type Check = (base: string) => Promise<Omit<PromiseReport, 'service' | 'what'>>

const everyMs = 500
const timeoutMs = 2_000
/** Of messages and documents; older ones are no longer looked at. */
const kept = 100

/**
 * A client that writes down what was acknowledged to it and looks again and again whether all of it is there, once and no
 * more. What it does not know the outcome of it sends again under the same key, as a caller should.
 */
export class Witness {
  readonly #checks: ReadonlyMap<string, { readonly what: string; readonly check: () => Check }>
  readonly #url: (service: string) => string | undefined
  readonly #reports = new Map<string, PromiseReport>()
  #stop: AbortController | undefined
  #running: Promise<unknown> = Promise.resolve()
  #checkedAtMs: number | null = null

  constructor(services: readonly string[], url: (service: string) => string | undefined) {
    this.#checks = new Map([...checks].filter(([service]) => services.includes(service)))
    this.#url = url
  }

  get report(): WitnessReport {
    const promises = [...this.#checks.keys()].flatMap((service) => this.#reports.get(service) ?? [])
    return { running: this.#stop !== undefined, promises, checkedAtMs: this.#checkedAtMs }
  }

  start(): void {
    if (this.#stop !== undefined) return
    const stop = new AbortController()
    this.#stop = stop
    this.#reports.clear()
    this.#running = Promise.all(
      [...this.#checks].map(([service, { what, check }]) => this.#watch(service, what, check(), stop.signal)),
    )
  }

  async stop(): Promise<void> {
    this.#stop?.abort()
    this.#stop = undefined
    await this.#running
  }

  async #watch(service: string, what: string, check: Check, stop: AbortSignal): Promise<void> {
    let last = { acknowledged: 0, found: 0, missing: 0 }
    while (!stop.aborted) {
      const base = this.#url(service)
      try {
        if (base === undefined) throw new Error('it does not listen')
        last = await check(base)
        this.#reports.set(service, { service, what, ...last })
        this.#checkedAtMs = Date.now()
      } catch (error) {
        const trouble = troubleOf(error)
        this.#reports.set(service, { service, what, ...last, trouble })
      }
      await delay(everyMs, undefined, { signal: stop }).catch(() => {})
    }
  }
}

function troubleOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.name === 'TimeoutError' ? `none within ${timeoutMs / 1_000} s` : error.message
}

const checks = new Map<string, { readonly what: string; readonly check: () => Check }>([
  ['counter', { what: 'increments, each under a key of its own', check: counterCheck }],
  ['message-store', { what: 'messages, read back and hashed', check: messageCheck }],
  ['load-tolerant-api', { what: 'documents, queued or stored', check: documentCheck }],
])

function counterCheck(): Check {
  const path = `/v1/counters/witness/${randomUUID()}`
  let acknowledged = 0
  let key = randomUUID()
  return async (base) => {
    // Until it is answered the key stays: whether the last attempt had an effect is not known.
    await ask(`${base}${path}/add`, { method: 'POST', headers: { 'idempotency-key': `"${key}"` } })
    acknowledged++
    key = randomUUID()
    const counter = await ask(`${base}${path}`)
    const value = isRecord(counter) ? Number(counter['value']) : Number.NaN
    const found = Math.min(acknowledged, value)
    return { acknowledged, found, missing: acknowledged - found, doubled: Math.max(0, value - acknowledged) }
  }
}

function messageCheck(): Check {
  const messages = new Map<string, string>()
  return async (base) => {
    const message = `witness ${randomUUID()}`
    const body = JSON.stringify({ message })
    await ask(`${base}/messages`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    messages.set(createHash('sha256').update(message).digest('hex'), message)
    forgetOldest(messages)
    let found = 0
    for (const [digest, expected] of messages) {
      const answer = await ask(`${base}/messages/${digest}`, {}, [404])
      if (isRecord(answer) && answer['message'] === expected) found++
    }
    return { acknowledged: messages.size, found, missing: messages.size - found }
  }
}

function documentCheck(): Check {
  const ids = new Map<string, true>()
  return async (base) => {
    const answer = await ask(`${base}/api/data`)
    const written: unknown = isRecord(answer) ? answer['writes'] : undefined
    for (const id of Array.isArray(written) ? written : []) ids.set(String(id), true)
    forgetOldest(ids)
    let found = 0
    for (const id of ids.keys()) {
      const write = await ask(`${base}/api/writes/${id}`, {}, [404])
      if (isRecord(write) && (write['state'] === 'stored' || write['state'] === 'queued')) found++
    }
    return { acknowledged: ids.size, found, missing: ids.size - found }
  }
}

function forgetOldest(map: Map<string, unknown>): void {
  for (const key of map.keys()) {
    if (map.size <= kept) return
    map.delete(key)
  }
}

/** The JSON of an answer; also of one with a status that is `expected`. */
async function ask(url: string, init: RequestInit = {}, expected: readonly number[] = []): Promise<unknown> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(timeoutMs) })
  if (!response.ok && !expected.includes(response.status)) throw new Error(`answered ${response.status}`)
  return response.json()
}
