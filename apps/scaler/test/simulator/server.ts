import type { MemoryWorkItemOptions, MemoryWorkItems } from '@ballast/state-stores/work-item/memory'
import type { WorkItemStore } from '@ballast/state-stores/work-item'
import type { Checks } from './checks.ts'
import { observed } from './observed.ts'
import type { VirtualTime } from './virtual-time.ts'

export type Side = 'workers' | 'leaders' | 'operator' | 'rows'
export type OpenStore = (options: MemoryWorkItemOptions) => MemoryWorkItems

/** One history of the data. A fail-over that loses something begins another one. */
interface Timeline {
  readonly memory: MemoryWorkItems
  readonly store: WorkItemStore
}

const epochMs = 1_700_000_000_000

/** The database, of which there are two while a standby is promoted and the old primary does not know it. */
export class Server {
  readonly #time: VirtualTime
  readonly #newTimeline: () => Timeline
  #timeline: Timeline
  #old: Timeline | undefined
  #stillWithOld: ReadonlySet<string> = new Set()
  #copied: object | undefined
  #up = true
  /** Changes when all connections break. */
  #boot = 0
  #jumpedMs = 0
  #astrayMs = 0

  constructor(time: VirtualTime, slots: number, newId: () => string, open: OpenStore, checks: Checks) {
    this.#time = time
    this.#newTimeline = () => {
      const memory = open({ slots, newId, nowMs: this.nowMs })
      return { memory, store: observed(memory, checks) }
    }
    this.#timeline = this.#newTimeline()
  }

  /** The database's own clock. */
  readonly nowMs = (): number => epochMs + this.#time.nowMs() + this.#jumpedMs

  /** All jumps so far, forward or back. */
  get wentAstrayMs(): number {
    return this.#astrayMs
  }

  jumpClock(ms: number): void {
    this.#astrayMs += Math.abs(ms)
    this.#jumpedMs += ms
  }

  get standbyLags(): boolean {
    return this.#copied !== undefined
  }

  get up(): boolean {
    return this.#up
  }

  /** Of the primary. */
  get store(): WorkItemStore {
    return this.#timeline.store
  }

  get state(): MemoryWorkItems['state'] {
    return this.#timeline.memory.state
  }

  crash(): void {
    this.#up = false
    this.#boot += 1
  }

  /** The same data: after a crash, or on a synchronous standby. */
  restart(): void {
    this.#up = true
  }

  /** From now on nothing more reaches the asynchronous standby. */
  stopCopying(): void {
    this.#copied = structuredClone({ ...this.state, nowMs: undefined, newId: undefined })
  }

  /** What was not copied is gone. The named ones go on talking to the old primary until `forgetOldPrimary`. */
  promoteCopy(stillWithOld: ReadonlySet<string>): void {
    if (this.#copied === undefined) throw new Error('there is no copy to be promoted')
    this.#old = this.#timeline
    this.#stillWithOld = stillWithOld
    this.#timeline = this.#newTimeline()
    const { state } = this.#timeline.memory
    const { nowMs, newId } = state
    Object.assign(state, this.#copied, { nowMs, newId })
    this.#copied = undefined
    this.#up = true
  }

  forgetOldPrimary(): void {
    this.#old = undefined
    this.#boot += 1
  }

  async apply(client: string, side: Side, method: string, given: readonly unknown[]): Promise<unknown> {
    const timeline = this.#stillWithOld.has(client) && this.#old !== undefined ? this.#old : this.#timeline
    if (!this.#up && timeline === this.#timeline) throw new Error(`${method}: connection refused`)
    const boot = this.#boot
    const target: unknown = timeline.store[side]
    const found: unknown = typeof target === 'object' && target !== null ? Reflect.get(target, method) : undefined
    if (typeof found !== 'function') throw new Error(`the store has no ${side}.${method}`)
    const answer: unknown = await Reflect.apply(found, target, given)
    if (boot !== this.#boot) throw new Error(`${method}: connection reset`)
    return answer
  }
}
