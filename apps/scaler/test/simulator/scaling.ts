import { decide, type AutoscaleConfig } from '../../src/autoscale/decide.ts'
import type { ScaleTarget } from '../../src/autoscale/target.ts'
import type { Checks } from './checks.ts'
import type { Machine } from './machine.ts'
import type { Random } from './random.ts'
import type { Server } from './server.ts'
import type { VirtualTime } from './virtual-time.ts'

const longestWayDownMs = 10_000

interface Parts {
  readonly time: VirtualTime
  readonly random: Random
  readonly server: Server
  readonly checks: Checks
}

/** Who runs the workers, as Kubernetes does a StatefulSet: one number, and processes that follow it. Judges each change of it. */
export class Scaling {
  readonly config: AutoscaleConfig
  readonly #parts: Parts
  readonly #follow: (workers: number) => void
  /** The part of requests that is refused. */
  refusals = 0
  #replicas: number
  #last: { readonly atMs: number; readonly up: boolean } | undefined

  constructor(parts: Parts, follow: (workers: number) => void) {
    const { random } = parts
    this.#parts = parts
    this.#follow = follow
    const minWorkers = random.integer(1, 2)
    this.config = {
      rowsPerWorker: random.integer(4, 12),
      minWorkers,
      maxWorkers: minWorkers + random.integer(1, 4),
      maxStepUp: random.integer(1, 2),
      maxStepDown: random.integer(1, 2),
      upCooldownMs: 1_000,
      downCooldownMs: random.integer(2_000, 4_000),
      slackPermille: 100,
      schedule: [],
    }
    this.#replicas = minWorkers
    follow(minWorkers)
  }

  get replicas(): number {
    return this.#replicas
  }

  /** Nothing would be changed, however long one waits. */
  get atRest(): boolean {
    const state = { rows: this.#parts.server.state.rows.size, workers: this.#replicas }
    const never = { lastUpMs: undefined, lastDownMs: undefined, enoughSinceMs: undefined }
    const impatient = { ...this.config, upCooldownMs: 0, downCooldownMs: 0 }
    return decide({ ...state, ...never }, impatient, 0).wanted === this.#replicas
  }

  /** As one control plane sees it. Requests take their time, and may come late from one that slept. */
  seenFrom(machine: Machine): ScaleTarget {
    const { time, random } = this.#parts
    const call = <T>(answer: () => T): Promise<T> =>
      new Promise((resolve, reject) => {
        time.after(random.between(1, 50), () => {
          try {
            const told = answer()
            time.after(random.between(1, 50), () => machine.deliver(() => resolve(told)))
          } catch (error) {
            time.after(random.between(1, 50), () => machine.deliver(() => reject(error)))
          }
        })
      })
    return {
      name: 'simulated',
      current: () => call(() => this.#replicas),
      scaleTo: (workers, from) => call(() => this.#scale(workers, from, machine)),
      workerName: (number) => `worker-${number}`,
      [Symbol.asyncDispose]: async () => {},
    }
  }

  #scale(to: number, from: number, { name, clockJumped }: Machine): void {
    const { time, random, server, checks } = this.#parts
    if (from !== this.#replicas || random.chance(this.refusals)) throw new Error('409: changed meanwhile')
    const { minWorkers, maxWorkers, maxStepUp, maxStepDown, downCooldownMs } = this.config
    const rows = server.state.rows.size
    const what = `${name} scales from ${from} to ${to} for ${rows} rows`
    checks.trace(what)
    if (to < minWorkers || to > maxWorkers) checks.violated('I8', `${what}, outside of ${minWorkers} to ${maxWorkers}`)
    if (to - from > maxStepUp || from - to > maxStepDown) checks.violated('I8', `${what}, more than a step`)
    const up = to > from
    const sinceMs = time.nowMs() - (this.#last?.atMs ?? Number.NEGATIVE_INFINITY)
    // Clocks of machines differ by a thousandth.
    const soon = sinceMs < downCooldownMs * 0.99
    if (!up && soon && !clockJumped) checks.violated('I8', `${what}, ${Math.round(sinceMs)} ms after the last change`)
    // A way down that has begun is seen through, whatever rows have come meanwhile.
    const calm = checks.rowsChangedMs < (this.#last?.atMs ?? 0) - longestWayDownMs
    if (up && this.#last?.up === false && calm) checks.violated('I8', `${what}, back again`)
    if (checks.atRest) checks.violated('I8', `${what}, at rest`)
    this.#last = { atMs: time.nowMs(), up }
    this.#replicas = to
    checks.counts.scalings += 1
    this.#follow(to)
  }
}
