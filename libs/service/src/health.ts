import { setTimeout as delay } from 'node:timers/promises'

export interface HealthCheck {
  readonly name: string
  /**
   * What waits for it: 'startup' the start only, 'ready' every readiness probe, 'none' nothing (shown to people only).
   * Gate readiness on nothing that the service can live without: a shared store that is down would take every replica out at once.
   */
  readonly gates: 'startup' | 'ready' | 'none'
  /** Healthy when it returns (also a promise of) anything; unhealthy when it throws, or takes longer than `timeoutMs`. */
  readonly check: () => unknown
  /** Default 2,000. */
  readonly timeoutMs?: number
}

export interface CheckResult {
  readonly name: string
  readonly gates: HealthCheck['gates']
  readonly ok: boolean
  /** Why not. */
  readonly reason?: string
}

export type Probe = 'livez' | 'readyz' | 'startupz'

export interface ProbeResult {
  readonly ok: boolean
  readonly checks: readonly CheckResult[]
}

/** The named checks of one process, and the two facts that only its life cycle knows: started, draining. */
export class Health {
  /** Set when the server listens; cleared never. */
  started = false
  /** Why no further requests should come: set once the process has been told to stop. */
  draining: string | undefined
  readonly #checks = new Map<string, HealthCheck>()
  readonly #running = new Map<string, Promise<CheckResult>>()

  add(check: HealthCheck): void {
    if (this.#checks.has(check.name)) throw new TypeError(`two health checks are called ${check.name}`)
    this.#checks.set(check.name, check)
  }

  /** `livez` asks no check: a process whose event loop answers lives; restarting it would not mend a store that is down. */
  async probe(probe: Probe): Promise<ProbeResult> {
    if (probe === 'livez') return { ok: true, checks: [] }
    const own: CheckResult[] = [verdict('started', this.started ? undefined : 'the service has not finished starting')]
    if (probe === 'readyz') own.push(verdict('draining', this.draining))
    const asked = [...this.#checks.values()].filter(({ gates }) => probe === 'readyz' || gates === 'startup')
    const checks = [...own, ...(await Promise.all(asked.map((check) => this.#run(check))))]
    return { ok: checks.every(({ ok, gates }) => ok || gates === 'none'), checks }
  }

  /** One run of a check serves every probe that comes while it lasts, so that a hanging store is asked once, not once a probe. */
  #run(check: HealthCheck): Promise<CheckResult> {
    const running = this.#running.get(check.name)
    if (running !== undefined) return running
    const result = run(check).finally(() => this.#running.delete(check.name))
    this.#running.set(check.name, result)
    return result
  }
}

async function run({ name, gates, check, timeoutMs = 2_000 }: HealthCheck): Promise<CheckResult> {
  const timer = new AbortController()
  try {
    await Promise.race([
      (async () => check())(),
      delay(timeoutMs, undefined, { signal: timer.signal, ref: false }).then(() => {
        throw new Error(`no answer within ${timeoutMs} ms`)
      }),
    ])
    return { name, gates, ok: true }
  } catch (error) {
    return { name, gates, ok: false, reason: error instanceof Error ? error.message : String(error) }
  } finally {
    timer.abort()
  }
}

function verdict(name: string, reason: string | undefined): CheckResult {
  return reason === undefined ? { name, gates: 'ready', ok: true } : { name, gates: 'ready', ok: false, reason }
}
