import type { Leader, MemberState, SlotMap, WorkItemStore } from '@ballast/state-stores/work-item'
import { decide, unevenness, type Decision } from './decide.ts'
import type { ControlMetrics } from './metrics.ts'
import { Pacing, type PacingOptions } from './pacing.ts'

export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

export interface LeadershipOptions extends PacingOptions {
  readonly name: string
  readonly ttlMs: number
  readonly tolerance: number
}

interface Known {
  readonly leader: Leader
  map: SlotMap
  epochs: string
  alive: ReadonlySet<string>
  recountSlot: number
  errorRows: number
}

const recountSlots = 256

/**
 * One control plane's part in leading: it campaigns, and while it leads it keeps the map in shape. `step` is called again and again, never
 * twice at a time.
 *
 * following -> leading: the campaign is won; map and members are read anew, nothing is remembered from an earlier time in office.
 * leading -> following: the store says that the fence is not the current one, or cannot be asked (the time in office may have run out).
 *
 * Whatever it believes, the store carries out a step only under the current fence; two that both think they lead do no harm.
 */
export class Leadership {
  readonly #store: WorkItemStore
  readonly #options: LeadershipOptions
  readonly #log: Log
  readonly #metrics: ControlMetrics
  readonly #nowMs: () => number
  readonly #pacing: Pacing
  #known: Known | undefined

  constructor(
    store: WorkItemStore,
    options: LeadershipOptions,
    { log, metrics, nowMs }: { log: Log; metrics: ControlMetrics; nowMs: () => number },
  ) {
    this.#store = store
    this.#options = options
    this.#log = log
    this.#metrics = metrics
    this.#nowMs = nowMs
    this.#pacing = new Pacing(options)
  }

  get leads(): boolean {
    return this.#known !== undefined
  }

  async step(): Promise<void> {
    try {
      const known = this.#known ?? (await this.#campaign())
      if (known === undefined) return
      if (!(await this.#lead(known))) this.#follow('another control plane leads')
    } catch (error) {
      this.#follow('the store cannot be asked')
      throw error
    }
  }

  async resign(): Promise<void> {
    const known = this.#known
    this.#known = undefined
    if (known !== undefined) await this.#store.leaders.resign(known.leader)
  }

  async #campaign(): Promise<Known | undefined> {
    const { name, ttlMs } = this.#options
    const leader = await this.#store.leaders.campaign(name, ttlMs)
    if (leader === undefined) return undefined
    const members = await this.#store.leaders.members()
    const map = await this.#store.leaders.map()
    const alive = new Set(members.filter((member) => member.alive).map((member) => member.name))
    this.#known = { leader, map, epochs: '', alive, recountSlot: 0, errorRows: 0 }
    this.#log.info({ epoch: String(leader.fence.epoch) }, 'leading')
    await this.#store.leaders.record('leader', { name, epoch: String(leader.fence.epoch) })
    return this.#known
  }

  #follow(reason: string): void {
    if (this.#known === undefined) return
    this.#known = undefined
    this.#log.warn({ reason }, 'following')
  }

  async #lead(known: Known): Promise<boolean> {
    const { leaders } = this.#store
    if (!(await leaders.renew(known.leader, this.#options.ttlMs))) return false
    const members = await leaders.members()
    await this.#noteArrivals(known, members)
    const counts = await leaders.countRows(known.leader)
    if (counts === 'stale') return false
    await this.#readMapIfChanged(known, members)

    const living = members.filter((member) => member.alive)
    const situation = { members: living, targets: known.map.targets, counts, tolerance: this.#options.tolerance }
    const decision = decide(situation)
    const nowMs = this.#nowMs()
    if (decision !== undefined && this.#pacing.mayAct(decision.cause, nowMs)) {
      if (!(await this.#carryOut(known, decision))) return false
      this.#pacing.acted(nowMs)
    } else if (decision === undefined) {
      this.#pacing.mayAct(undefined, nowMs)
    }
    if (!(await this.#takeOver(known))) return false
    if (!(await this.#recount(known))) return false
    this.#metrics.observe({
      members,
      rows: counts.reduce((sum, count) => sum + count, 0),
      maxOverMean: unevenness(living, known.map.owners, counts),
      unownedSlots: known.map.owners.filter((owner) => owner === undefined || !known.alive.has(owner)).length,
      errorRows: known.errorRows,
    })
    return true
  }

  async #noteArrivals(known: Known, members: readonly MemberState[]): Promise<void> {
    const alive = new Set(members.filter((member) => member.alive).map((member) => member.name))
    const gone = [...known.alive].filter((name) => !alive.has(name))
    const come = [...alive].filter((name) => !known.alive.has(name))
    known.alive = alive
    for (const worker of come) {
      this.#log.info({ worker }, 'worker joined')
      await this.#store.leaders.record('joined', { worker })
    }
    for (const worker of gone) {
      this.#log.info({ worker }, 'worker gone')
      await this.#store.leaders.record('gone', {
        worker,
        slots: members.find(({ name }) => name === worker)?.slots ?? 0,
      })
    }
  }

  /** Every change of the map bumps the epoch of somebody, or is our own. */
  async #readMapIfChanged(known: Known, members: readonly MemberState[]): Promise<void> {
    const epochs = members.map(({ name, epoch }) => `${name}@${epoch}`).join()
    if (epochs === known.epochs) return
    known.map = await this.#store.leaders.map()
    known.epochs = epochs
  }

  async #carryOut(known: Known, { cause, result }: Decision): Promise<boolean> {
    const published = await this.#store.leaders.publish(known.leader, result.moves)
    if (published === 'stale') return false
    known.map = { ...known.map, targets: result.next }
    const stats = { cause, ...result.stats }
    this.#log.info(stats, 'planned')
    this.#metrics.planned(result.stats)
    await this.#store.leaders.record('planned', stats)
    return true
  }

  async #takeOver(known: Known): Promise<boolean> {
    const { owners, targets } = known.map
    const orphaned = owners.some(
      (owner, slot) => owner !== targets[slot] && (owner === undefined || !known.alive.has(owner)),
    )
    if (!orphaned) return true
    const taken = await this.#store.leaders.takeOver(known.leader)
    if (taken === 'stale') return false
    if (taken.slots === 0) return true
    known.epochs = ''
    this.#log.info(taken, 'taken over')
    this.#metrics.tookOver(taken.unownedMs)
    await this.#store.leaders.record('taken-over', { slots: taken.slots, unownedMs: taken.unownedMs })
    return true
  }

  /** A few slots each step, so that all are counted afresh every few minutes and no statement is long. */
  async #recount(known: Known): Promise<boolean> {
    const from = known.recountSlot
    const outcome = await this.#store.leaders.recount(known.leader, from, from + recountSlots - 1)
    if (outcome === 'stale') return false
    if (outcome.corrected > 0) this.#log.warn({ corrected: outcome.corrected, fromSlot: from }, 'row counts corrected')
    known.errorRows = from === 0 ? outcome.errorRows : known.errorRows + outcome.errorRows
    known.recountSlot = from + recountSlots >= this.#store.slots ? 0 : from + recountSlots
    return true
  }
}
