import { monotonicClock, pause, type Clock } from './clock.ts'
import { LeaseLostError, type Fence, type Lease, type Leases } from './port.ts'

/** What the guarded work gets. */
export interface Leadership {
  /** Of the store that keeps the lease. Data kept elsewhere is guarded by an epoch that the new leader bumps there first. */
  readonly fence: Fence
  /** Aborts when leadership is lost, before anybody else can have it, or when the campaign is to stop. */
  readonly signal: AbortSignal
  /** Looks at the clock: false even when a process that was stopped has not seen `signal` abort yet. */
  readonly leading: boolean
}

/** Called synchronously; must not throw. */
export interface CampaignObserver {
  onStarted?(event: { readonly key: string; readonly fence: Fence }): void
  /** After the work has ended. `leadMs` counts until then. */
  onEnded?(event: { readonly key: string; readonly reason: 'lost' | 'stopped' | 'done'; readonly leadMs: number }): void
  /** Somebody else leads, as he describes himself; once per change. */
  onLeader?(event: { readonly key: string; readonly holder: string }): void
  /** The store could not be asked, or the work failed after it had been told to stop. The campaign goes on. */
  onError?(event: { readonly key: string; readonly error: unknown }): void
}

export interface CampaignOptions {
  /** Stops the campaign, for instance on SIGTERM. */
  readonly signal?: AbortSignal
  /** How long others wait for a leader of whom they hear nothing. Default: 15 s. */
  readonly leaseDurationMs?: number
  /** When a leader who cannot renew gives up. Default: 10 s. What is left until `leaseDurationMs` is for the work to end in. */
  readonly renewDeadlineMs?: number
  /** Between attempts and renewals, attempts with up to 120 % of jitter. Default: 2 s. */
  readonly retryPeriodMs?: number
  readonly observer?: CampaignObserver
  readonly clock?: Clock
  readonly random?: () => number
}

/**
 * Leader election: runs `work` while this candidate leads, again and again, until `signal` aborts or `work` returns by
 * itself. Defaults and proportions are those of client-go's leaderelection.
 *
 * When the campaign is to stop, the work's signal aborts, the lease is kept and renewed until the work has ended, and only
 * then released: the successor does not begin beside the rest of it. When leadership is lost, the work's signal aborts
 * `leaseDurationMs - renewDeadlineMs` before anybody else can win; the next attempt begins when the work has ended.
 * Work that writes passes its fence on: a leader that was stopped for long writes after he has lost.
 *
 * Rejects with what `work` threw while it led (after releasing), and with nothing else: errors of the store are told to
 * the observer and tried again. Resolves when `work` has returned or the campaign was stopped.
 */
export async function campaign(
  leases: Leases,
  key: string,
  work: (leadership: Leadership) => Promise<void>,
  options: CampaignOptions = {},
): Promise<void> {
  const { signal: stop, leaseDurationMs = 15_000, renewDeadlineMs = 10_000, retryPeriodMs = 2_000 } = options
  const { observer = {}, clock = monotonicClock, random = Math.random } = options
  let leader: string | undefined
  const onHeldByOther = (holder: string): void => {
    if (holder === '' || holder === leader) return
    leader = holder
    observer.onLeader?.({ key, holder })
  }
  const request = {
    ttlMs: leaseDurationMs,
    renewDeadlineMs,
    retryPeriodMs,
    pollEveryMs: retryPeriodMs,
    onHeldByOther,
  }
  const retry = (): Promise<void> => pause(clock, retryPeriodMs * (1 + 1.2 * random()), stop)

  const stopped = (): boolean => stop?.aborted === true

  while (!stopped()) {
    let lease: Lease
    try {
      lease = await leases.acquire(key, { ...request, ...(stop && { signal: stop }) })
    } catch (error) {
      // A wrong option or key does not get better by trying again.
      if (error instanceof TypeError) throw error
      if (stopped()) return
      observer.onError?.({ key, error })
      await retry()
      continue
    }
    leader = undefined
    const reason = await lead(lease, work, stop, clock, observer)
    if (reason === 'done') return
    if (reason === 'lost') await retry()
  }
}

async function lead(
  lease: Lease,
  work: (leadership: Leadership) => Promise<void>,
  stop: AbortSignal | undefined,
  clock: Clock,
  observer: CampaignObserver,
): Promise<'lost' | 'stopped' | 'done'> {
  const { key, fence } = lease
  const startedAtMs = clock.nowMs()
  const signal = stop === undefined ? lease.signal : AbortSignal.any([lease.signal, stop])
  const leadership: Leadership = {
    fence,
    signal,
    get leading() {
      return lease.held && stop?.aborted !== true
    },
  }
  observer.onStarted?.({ key, fence })
  let failure: { readonly error: unknown } | undefined
  try {
    await work(leadership)
  } catch (error) {
    failure = { error }
  }
  const reason = !lease.held ? 'lost' : stop?.aborted === true ? 'stopped' : 'done'
  // The work has ended: not before this may others begin.
  await lease.release()
  observer.onEnded?.({ key, reason, leadMs: clock.nowMs() - startedAtMs })
  if (failure === undefined || isAbort(failure.error, signal)) return reason
  if (reason === 'done') throw failure.error
  observer.onError?.({ key, error: failure.error })
  return reason
}

/** The usual way for work to end when it was told to. */
const isAbort = (error: unknown, signal: AbortSignal): boolean =>
  signal.aborted &&
  (error === signal.reason ||
    error instanceof LeaseLostError ||
    (error instanceof Error && error.name === 'AbortError'))
