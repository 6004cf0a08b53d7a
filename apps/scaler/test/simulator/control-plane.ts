import type { WorkItemStore } from '@ballast/state-stores/work-item'
import { Autoscaler } from '../../src/autoscale/autoscaler.ts'
import { Leadership } from '../../src/control-plane/leadership.ts'
import { repeat, type Repeating } from '../../src/repeat.ts'
import type { Checks } from './checks.ts'
import type { Machine } from './machine.ts'
import type { Scaling } from './scaling.ts'

export interface ControlPlaneOptions {
  readonly name: string
  readonly ttlMs: number
  readonly tolerance: number
  readonly machine: Machine
  /** Undefined: somebody else scales. */
  readonly scaling: Scaling | undefined
  readonly checks: Checks
  /** As many as there are, or were. */
  readonly workers: () => number
}

/** What the command `control-plane` runs, on a machine of the simulation. */
export function runControlPlane(store: WorkItemStore, options: ControlPlaneOptions): Repeating {
  const { name, ttlMs, tolerance, machine, scaling, checks, workers } = options
  const { surroundings } = machine
  const failed = (error: unknown) => checks.trace(`${name}: ${String(error)}`)
  const say = (fields: object, message: string) => checks.trace(`${name}: ${message} ${JSON.stringify(fields)}`)
  const log = { info: say, warn: say }
  const leadership: Leadership = new Leadership(
    store,
    { name, ttlMs, tolerance, joinSettleMs: 500, rebalanceIntervalMs: 2_000 },
    {
      log,
      metrics: {
        observe() {},
        planned({ movedRows, minimumRows }) {
          checks.counts.plans += 1
          checks.counts.movedRows += movedRows
          // Slots move as a whole: one more of each worker than must, at most.
          let fullest = 0
          for (const rows of leadership.counts ?? []) fullest = Math.max(fullest, rows)
          const bound = minimumRows + fullest * workers()
          if (movedRows > bound) checks.violated('I5', `${name} moves ${movedRows} rows, more than ${bound}`)
        },
        tookOver() {},
      },
      nowMs: surroundings.monotonicMs,
    },
  )
  const leading = repeat({ step: () => leadership.step(), pauseMs: () => 250, failed }, surroundings)

  const autoscaler =
    scaling &&
    new Autoscaler({
      store,
      target: scaling.seenFrom(machine),
      config: () => ({ ...scaling.config, paused: false }),
      dryRun: false,
      nowMs: surroundings.monotonicMs,
      log,
    })
  const step = async () => {
    const { counts } = leadership
    if (counts === undefined) autoscaler?.rest()
    else await autoscaler?.step(counts.reduce((sum, count) => sum + count, 0))
  }
  const autoscaling = autoscaler && repeat({ step, pauseMs: () => 1_000, failed }, surroundings)

  return {
    async stop() {
      await autoscaling?.stop()
      await leading.stop()
      await leadership.resign().catch(() => {})
    },
  }
}
