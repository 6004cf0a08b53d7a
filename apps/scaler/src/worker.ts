import { consoleRoutes } from '@ballast/console'
import { buildServer, type Service } from '@ballast/service'
import { openWorkerRegistry } from '@ballast/state-stores/worker-registry'
import { longestWorkerName, openWorkItemStore, type Ticked, type WorkerLease } from '@ballast/state-stores/work-item'
import { storeSetting, type WorkerConfig } from './config.ts'
import { workerConsole } from './console.ts'
import { onceInAWhile } from './once-in-a-while.ts'
import { realSurroundings } from './surroundings.ts'
import { detailsOf, startAnnouncing } from './worker/announcing.ts'
import { workerMetrics } from './worker/metrics.ts'
import { Watching } from './worker/watching.ts'
import { startWorking } from './worker/working.ts'

/** The command `worker`. PostgreSQL is all it needs: it ticks on while no control plane runs. */
export async function worker(service: Service<WorkerConfig>): Promise<void> {
  const { config, log, health } = service
  const { name, weight, zone, leaseTtlMs: ttlMs, drainTimeoutMs, restartGraceMs } = config
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
  const print = async (outcome: Ticked, lease: WorkerLease, paused: boolean) => {
    const { rows, ids, fingerprint } = await watching.after(outcome, lease)
    metrics.watching(rows)
    log.info(
      {
        worker: name,
        epoch: String(lease.fence.epoch),
        rows,
        ...(ids === undefined ? { fingerprint } : { ids }),
        ...(paused && { paused }),
      },
      'watching',
    )
  }
  const working = await startWorking({
    name,
    weight,
    zone,
    restartGraceMs,
    ttlMs,
    drainTimeoutMs,
    workers,
    metrics,
    surroundings: realSurroundings,
    ticked: print,
    complain: onceInAWhile((error) => log.warn({ err: error }, 'cannot tick')),
    superseded: (error) => service.fail(error),
    log,
  })
  service.onClose('worker', () => working.stop())
  if (config.registry !== undefined) {
    const announcing = await startAnnouncing(await openWorkerRegistry(config.registry), {
      name,
      everyMs: ttlMs / 3,
      ttlMs,
      details: () => detailsOf(working, { weight, zone }),
      complain: onceInAWhile((error) => log.warn({ err: error }, 'not in the registry; ticks do not need it')),
    })
    service.onClose('registry', () => announcing.stop())
    health.add({ name: 'registry', gates: 'none', check: () => announcing.check() })
  }
  health.add({
    name: 'ticks',
    gates: 'ready',
    check() {
      if (working.failure !== undefined) throw new Error(working.failure)
    },
  })
  const app = await buildServer(service.serverOptions)
  await app.register(consoleRoutes, workerConsole(service.serverOptions))
  await service.listen(app)
}
