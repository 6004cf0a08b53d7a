import type { WorkItemStore } from '@ballast/state-stores/work-item'
import { decide, type AutoscaleConfig, type AutoscaleState } from './decide.ts'
import type { ScaleTarget } from './target.ts'
import { begunWayDown, noteWayDown } from './way-down.ts'

export interface AutoscalerParts {
  readonly store: Pick<WorkItemStore, 'leaders' | 'workers' | 'operator'>
  readonly target: ScaleTarget
  /** As it is now: limits may be changed while all runs. `paused`: nothing new is begun. */
  readonly config: () => AutoscaleConfig & { readonly paused: boolean }
  /** Decide and show, but carry nothing out. */
  readonly dryRun: boolean
  /** Unix ms. */
  readonly nowMs: () => number
  readonly log: { info(fields: object, message: string): void }
}

export interface AutoscaleStatus {
  readonly rows: number
  readonly workers: number
  readonly wanted: number
  readonly reason: string
  /** Workers that give their rows away, to be gone then. */
  readonly leaving: readonly string[]
}

const nothingYet = { lastUpMs: undefined, lastDownMs: undefined, enoughSinceMs: undefined }

/**
 * Carries out what `decide` says, on the control plane that leads. Up: the target is told. Down: those that will go, the highest
 * numbers, are drained first, and the target is told when they own nothing any more; that is then seen through, also when more are
 * wanted meanwhile, by the next leader too. The state of cooldowns is not kept over a change of the leader: it then takes a whole
 * one until anybody goes.
 */
export class Autoscaler {
  readonly #parts: AutoscalerParts
  #state: AutoscaleState | undefined
  /** So many shall be left, when the others have given everything away. */
  #goingDownTo: number | undefined
  #status: AutoscaleStatus | undefined

  constructor(parts: AutoscalerParts) {
    this.#parts = parts
  }

  /** Undefined before the first step, and where another control plane leads. */
  get status(): AutoscaleStatus | undefined {
    return this.#status
  }

  /** Another control plane leads: nothing is remembered. */
  rest(): void {
    this.#state = undefined
    this.#goingDownTo = undefined
    this.#status = undefined
  }

  async step(rows: number): Promise<void> {
    const { target, config, dryRun, nowMs } = this.#parts
    const { paused, ...limits } = config()
    const running = await target.current()
    const workers = running ?? (await this.#living()).length
    const state: AutoscaleState = { ...(this.#state ?? nothingYet), rows, workers }
    if (this.#state === undefined && running !== undefined && !dryRun) {
      this.#goingDownTo ??= (await begunWayDown(this.#parts.store, workers, (number) => target.workerName(number)))?.to
    }
    const going = this.#goingDownTo
    if (going !== undefined && going < workers) return this.#goDown({ going, rows, workers, reason: 'going down' })
    this.#goingDownTo = undefined
    const { wanted, reason, next } = decide(state, limits, nowMs())
    this.#status = { rows, workers, wanted, reason, leaving: [] }
    if (running === undefined || dryRun || paused || wanted === workers) {
      this.#state = { ...state, enoughSinceMs: next.enoughSinceMs }
      return
    }
    if (wanted < workers) {
      await noteWayDown(this.#parts.store, { from: workers, to: wanted })
      this.#goingDownTo = wanted
      this.#state = next
      return this.#goDown({ going: wanted, rows, workers, reason })
    }
    await target.scaleTo(wanted, workers)
    this.#state = next
    await this.#note(workers, wanted, reason)
  }

  async #goDown(down: { going: number; rows: number; workers: number; reason: string }): Promise<void> {
    const { going, rows, workers, reason } = down
    const { target, store, nowMs } = this.#parts
    const names = Array.from({ length: workers - going }, (_, i) => target.workerName(going + i))
    const members = (await this.#living()).filter(({ name }) => names.includes(name))
    const keeping = members.filter(({ slots }) => slots > 0)
    this.#status = { rows, workers, wanted: going, reason, leaving: names }
    // With nobody left there is nobody to give anything to.
    if (going > 0 && keeping.length > 0) {
      for (const { name, draining } of members) if (!draining) await store.workers.drain({ name })
      return
    }
    await target.scaleTo(going, workers)
    this.#goingDownTo = undefined
    // The step ends here: what it took to drain is not part of the time until the next one.
    this.#state = { ...(this.#state ?? nothingYet), rows, workers: going, lastDownMs: nowMs() }
    await noteWayDown(store, undefined)
    await this.#note(workers, going, reason)
  }

  async #living() {
    const members = await this.#parts.store.leaders.members()
    return members.filter(({ alive }) => alive)
  }

  async #note(from: number, to: number, reason: string): Promise<void> {
    const { log, store, target } = this.#parts
    const fields = { target: target.name, from, to, reason }
    log.info(fields, 'scaled')
    await store.leaders.record('scaled', fields)
  }
}
