import { campaign, openLeases } from '@ballast/locking/lease'
import type { Log } from './log.ts'

/** Who may try to lead. */
export interface Election {
  readonly mayLead: boolean
  /** Gives the lease back, so that the next one need not wait for its end. */
  stop(): Promise<void>
}

export interface ElectionOptions {
  /** Shown by the lease store, to people. */
  readonly name: string
  /** One that is silent for this long is succeeded. */
  readonly ttlMs: number
  readonly log: Log
  readonly complain: (error: unknown) => void
}

const key = 'ballast-scaler'

/**
 * `database`: everybody may try, the store decides. Else a lease, for instance `kubernetes:` (a Lease object, which `kubectl get lease`
 * shows), decides who tries. It is no fence: Leases restart at 0 when somebody deletes them. Who has it still bumps his epoch
 * in the database, which refuses whoever had it before. While the lease store is away nobody leads for long, and workers go on.
 * @throws Error one sentence about the URL or its store.
 */
export async function enterElection(url: string, { name, ttlMs, log, complain }: ElectionOptions): Promise<Election> {
  if (url === 'database') return { mayLead: true, stop: async () => {} }
  const leases = await openLeases(url, { holder: name })
  const stopping = new AbortController()
  let mayLead = false
  const running = campaign(
    leases,
    key,
    async ({ signal }) => {
      mayLead = true
      log.info({ lease: key }, 'elected')
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve()
        else signal.addEventListener('abort', () => resolve(), { once: true })
      })
      mayLead = false
    },
    {
      signal: stopping.signal,
      leaseDurationMs: ttlMs,
      renewDeadlineMs: (ttlMs * 2) / 3,
      retryPeriodMs: ttlMs / 6,
      observer: { onError: ({ error }) => complain(error) },
    },
  )
  running.catch(complain)
  return {
    get mayLead() {
      return mayLead
    },
    async stop() {
      stopping.abort()
      await running.catch(() => {})
      await leases[Symbol.asyncDispose]()
    },
  }
}
