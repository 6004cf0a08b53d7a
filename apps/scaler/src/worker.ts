import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { hash32, unitOf } from '@ballast/hashing'
import { buildServer, type Service } from '@ballast/service'
import { longestWorkerName, openWorkItemStore, type Ticked, type WorkerLease } from '@ballast/state-stores/work-item'
import { storeSetting, type WorkerConfig } from './config.ts'
import { onceInAWhile } from './once-in-a-while.ts'
import { repeat } from './repeat.ts'
import { Heart } from './worker/heart.ts'
import { workerMetrics } from './worker/metrics.ts'
import { phaseOf, StoreClock } from './worker/store-clock.ts'
import { SupersededError, Ticker } from './worker/ticker.ts'
import { Watching } from './worker/watching.ts'

const monotonicMs = () => performance.now()
const retryMs = 200

/** The command `worker`. PostgreSQL is all it needs: it ticks on while no control plane runs. */
export async function worker(service: Service<WorkerConfig>): Promise<void> {
  const { config, log, health } = service
  const { name, weight, leaseTtlMs: ttlMs } = config
  if (name === '' || name.length > longestWorkerName) {
    throw new Error(`--name (SCALER_NAME) must have 1 to ${longestWorkerName} characters, not ${name.length}`)
  }
  const store = await openWorkItemStore(config.store, {
    applicationName: `scaler worker ${name}`,
    setting: storeSetting,
  })
  service.onClose('store', () => store[Symbol.asyncDispose]())
  const { workers } = store

  const metrics = workerMetrics(service.metrics)
  const watching = new Watching(workers, config.watchLimit)
  const print = async (outcome: Ticked, lease: WorkerLease) => {
    const { rows, ids, fingerprint } = await watching.after(outcome, lease)
    metrics.watching(rows)
    log.info(
      { worker: name, epoch: String(lease.fence.epoch), rows, ...(ids === undefined ? { fingerprint } : { ids }) },
      'watching',
    )
  }
  const lease = await workers.register({ name, incarnation: randomUUID() }, { weight, ttlMs })
  const ticker = new Ticker(lease, {
    workers,
    clock: new StoreClock(monotonicMs),
    monotonicMs,
    phaseMs: phaseOf(unitOf(hash32(name), 0)),
    metrics,
    ticked: print,
  })
  const heart = new Heart({
    workers,
    ticker,
    ttlMs,
    monotonicMs,
    onDraining: () => log.info('draining: all rows go to others'),
  })

  let failure: string | undefined
  let superseded = false
  const complain = onceInAWhile((error) => log.warn({ err: error }, 'cannot tick'))
  const failed = (error: unknown) => {
    failure = error instanceof Error ? error.message : String(error)
    if (error instanceof SupersededError) giveUp(error)
    else complain(error)
  }
  const ticking = repeat({
    async step() {
      await ticker.step()
      failure = undefined
    },
    pauseMs: () => (failure === undefined ? ticker.untilDueMs() : retryMs * (1 + Math.random())),
    failed,
  })
  const beating = repeat({ step: () => heart.step(), pauseMs: () => ttlMs / 4, failed })
  service.onClose('worker', async () => {
    if (!superseded) await drain()
    await Promise.all([beating.stop(), ticking.stop()])
    await workers.leave(lease).catch(complain)
  })
  health.add({
    name: 'ticks',
    gates: 'ready',
    check() {
      if (failure !== undefined) throw new Error(failure)
    },
  })
  await service.listen(await buildServer(service.serverOptions))

  /** The rows, and the name, are another process's now: nothing is asked for or handed over under it any more. */
  function giveUp(error: SupersededError): void {
    if (superseded) return
    superseded = true
    service.fail(error)
    void ticking.stop()
    void beating.stop()
  }

  /** Keeps ticking until others have taken everything, nobody could, or time is up. */
  async function drain(): Promise<void> {
    const deadlineMs = monotonicMs() + config.drainTimeoutMs
    if (!(await workers.drain(lease).catch(() => false))) return
    await heart.step().catch(complain)
    while (ticker.lease.slots.length > 0 && heart.otherTakers > 0 && monotonicMs() < deadlineMs) await delay(20)
    const left = ticker.lease.slots.length
    log.info({ slots: left }, left === 0 ? 'drained' : 'leaving with slots that others will take over')
  }
}
