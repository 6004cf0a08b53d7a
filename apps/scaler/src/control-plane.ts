import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { ConfigError, type Service } from '@ballast/service'
import { openWorkItemStore } from '@ballast/state-stores/work-item'
import { build } from './app.ts'
import { Autoscaler } from './autoscale/autoscaler.ts'
import { openScaleTarget } from './autoscale/open.ts'
import { parseShift } from './autoscale/schedule.ts'
import { storeSetting, type ControlPlaneConfig } from './config.ts'
import { enterElection } from './control-plane/election.ts'
import { Leadership } from './control-plane/leadership.ts'
import { tuned, type Tuning } from './control-plane/limits.ts'
import { controlMetrics } from './control-plane/metrics.ts'
import { TickAuditor } from './control-plane/tick-audit.ts'
import { onceInAWhile } from './once-in-a-while.ts'
import { repeat } from './repeat.ts'

const stepMs = 250
const autoscaleMs = 1_000

/** The command `control-plane`. Several may run: one leads, all serve the API. */
export async function controlPlane(service: Service<ControlPlaneConfig>): Promise<void> {
  const { config, log, health } = service
  checkWorkers(config)
  const name = `${hostname()}-${randomUUID().slice(0, 8)}`
  const store = await openWorkItemStore(config.store, {
    applicationName: `scaler control-plane ${name}`,
    setting: storeSetting,
  })
  service.onClose('store', () => store[Symbol.asyncDispose]())
  health.add({ name: 'store', gates: 'ready', check: () => store.check() })

  const defaults: Tuning = { ...config, autoscale: true }
  const leadership: Leadership = new Leadership(
    store,
    {
      ...config,
      name,
      ttlMs: config.leaderTtlMs,
      tolerance: config.imbalancePermille / 1000,
      tune(limits) {
        const { imbalancePermille, rebalanceIntervalMs, churnBudgetRows } = tuned(defaults, limits)
        return {
          tolerance: imbalancePermille / 1000,
          rebalanceIntervalMs,
          budgetRows: churnBudgetRows === 0 ? undefined : churnBudgetRows,
        }
      },
    },
    { log, metrics: controlMetrics(service.metrics, () => leadership.leads), nowMs: () => performance.now() },
  )
  const complain = onceInAWhile((error) => log.warn({ err: error }, 'the store cannot be used'))
  const election = await enterElection(config.election, { name, ttlMs: config.leaderTtlMs, log, complain })
  const leading = repeat({
    async step() {
      if (election.mayLead) await leadership.step()
      else if (leadership.leads) await leadership.resign()
    },
    pauseMs: () => stepMs,
    failed: complain,
  })
  health.add({
    name: 'leadership',
    gates: 'ready',
    check() {
      if (election.mayLead && leadership.failure !== undefined) throw new Error(leadership.failure)
    },
  })
  service.onClose('leadership', async () => {
    await leading.stop()
    await leadership.resign().catch(complain)
    await election.stop()
  })

  const target = await openScaleTarget(config.autoscaleTarget, {
    log,
    start: (worker) => ({
      command: process.execPath,
      args: [process.argv[1] ?? '', 'worker', '--name', worker, '--listen', '127.0.0.1:0'],
      env: { ...process.env, SCALER_STORE: config.store },
    }),
  })
  service.onClose('workers', () => target[Symbol.asyncDispose]())
  const schedule = config.schedule.map(parseShift)
  const autoscaler = new Autoscaler({
    store,
    target,
    config: () => {
      const { autoscale, ...limits } = tuned(defaults, leadership.limits)
      return { ...scalingOf(config), ...limits, schedule, paused: !autoscale }
    },
    dryRun: config.autoscaleDryRun,
    nowMs: () => Date.now(),
    log,
  })
  const complainOfScaling = onceInAWhile((error) => log.warn({ err: error }, 'cannot scale'))
  service.metrics.gauge({
    name: 'scaler_wanted_workers',
    help: 'workers that the autoscaler wants',
    collect() {
      this.set(autoscaler.status?.wanted ?? 0)
    },
  })
  const scaling = repeat({
    async step() {
      const { counts } = leadership
      if (counts === undefined) autoscaler.rest()
      else await autoscaler.step(counts.reduce((sum, count) => sum + count, 0))
    },
    pauseMs: () => autoscaleMs,
    failed: complainOfScaling,
  })
  service.onClose('autoscaler', () => scaling.stop())

  const auditor = new TickAuditor(store, config.auditMaxRows)
  const auditing = repeat({
    step: () => auditor.step(),
    pauseMs: () => config.auditIntervalMs,
    failed: complain,
  })
  service.onClose('audit', () => auditing.stop())

  await service.listen(
    await build({
      server: service.serverOptions,
      store,
      audit: () => auditor.result,
      strategy: config.strategy,
      zones: config.zones,
      defaults,
      autoscaling: { target: target.name, dryRun: config.autoscaleDryRun, status: () => autoscaler.status },
    }),
  )
}

function checkWorkers({ minWorkers, maxWorkers }: ControlPlaneConfig): void {
  if (minWorkers > maxWorkers) {
    throw new ConfigError(
      `--min-workers (SCALER_MIN_WORKERS) is ${minWorkers}, above --max-workers (SCALER_MAX_WORKERS), which is ${maxWorkers}`,
    )
  }
}

function scalingOf(config: ControlPlaneConfig) {
  return {
    maxStepUp: config.scaleUpStep,
    maxStepDown: config.scaleDownStep,
    upCooldownMs: config.scaleUpCooldownMs,
    downCooldownMs: config.scaleDownCooldownMs,
    slackPermille: config.scaleSlackPermille,
  }
}
