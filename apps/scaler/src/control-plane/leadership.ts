import type { Leader, Limits, MemberState, SlotMap, WorkItemStore } from '@ballast/state-stores/work-item'
import { Admission } from './admission.ts'
import { noteArrivals } from './arrivals.ts'
import { causeSentence } from './cause.ts'
import { decide, type Decision } from './decide.ts'
import type { Log } from './log.ts'
import type { ControlMetrics } from './metrics.ts'
import { Pacing, type PacingOptions } from './pacing.ts'
import { Recounting } from './recounting.ts'
import { unevenness, type Strategy } from './strategy.ts'

export interface LeadershipOptions extends PacingOptions {
  readonly name: string
  readonly ttlMs: number
  readonly tolerance: number
  readonly strategy?: Strategy
  readonly zones?: 'weights' | 'spread'
  /** Most rows that one plan moves, besides those that have lost their owner. Default: any number. */
  readonly budgetRows?: number
  /** Default: 50. */
  readonly maxJoinsPerSecond?: number
  /** What is set in the store, if anything, goes before the options. */
  readonly tune?: (limits: Limits) => {
    readonly tolerance: number
    readonly rebalanceIntervalMs: number
    readonly budgetRows: number | undefined
  }
}

interface Known {
  readonly leader: Leader
  map: SlotMap
  epochs: string
  alive: ReadonlySet<string>
  readonly recounting: Recounting
  /** Rows in the table and in each slot, as counted last. */
  counts: Uint32Array | undefined
  limits: Limits
  step: number
  /** The workers whose map was last found to be what the strategy wants. */
  fitted: string
}

/**
 * After an outage of the store every lease may have run out, though all workers live: they have this long to be heard again before
 * somebody is held for dead. Longer than a heartbeat and the longest back-off together.
 */
const outageSettleMs = 2_000
/** The limits are read again with every so many steps. */
const stepsPerLimits = 4

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
  readonly #admission: Admission
  #known: Known | undefined
  #storeFailedMs = Number.NEGATIVE_INFINITY
  /** Times in office since one step of leading succeeded that ended with a failure. */
  #brokenTerms = 0
  #brokenBy = ''
  #inOffice = false
  /** Whose time in office is seen from outside, and since when. */
  #seen: { readonly epoch: bigint; readonly sinceMs: number } | undefined

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
    this.#admission = new Admission(options.maxJoinsPerSecond ?? 50)
  }

  get leads(): boolean {
    return this.#known !== undefined
  }

  /** Why leading fails, when it has failed in two times in office and succeeded in none since; a store that is away ends but one. */
  get failure(): string | undefined {
    return this.#brokenTerms < 2 ? undefined : this.#brokenBy
  }

  /** Rows in each slot, while this control plane leads and has counted. */
  get counts(): Uint32Array | undefined {
    return this.#known?.counts
  }

  /** As set in the store, when it was read last. */
  get limits(): Limits {
    return this.#known?.limits ?? {}
  }

  async step(): Promise<void> {
    try {
      const known = this.#known ?? (await this.#campaign())
      if (known === undefined) return await this.#heedOther()
      if (await this.#lead(known)) this.#brokenTerms = 0
      else this.#follow('another control plane leads')
    } catch (error) {
      this.#storeFailedMs = this.#nowMs()
      if (this.#inOffice) {
        this.#inOffice = false
        this.#brokenTerms += 1
        this.#brokenBy = error instanceof Error ? error.message : String(error)
      }
      this.#follow('the store cannot be asked')
      throw error
    }
  }

  async resign(): Promise<void> {
    const known = this.#known
    this.#known = undefined
    this.#inOffice = false
    if (known !== undefined) await this.#store.leaders.resign(known.leader)
  }

  async #campaign(): Promise<Known | undefined> {
    const { name, ttlMs } = this.#options
    const leader = await this.#store.leaders.campaign(name, ttlMs)
    if (leader === undefined) return undefined
    this.#inOffice = true
    const members = await this.#store.leaders.members()
    const map = await this.#store.leaders.map()
    const alive = new Set(members.filter((member) => member.alive).map((member) => member.name))
    this.#known = {
      leader,
      map,
      epochs: '',
      alive,
      recounting: new Recounting(this.#store, this.#log),
      counts: undefined,
      limits: {},
      step: 0,
      fitted: '',
    }
    this.#log.info({ epoch: String(leader.fence.epoch) }, 'leading')
    await this.#store.leaders.record('leader', { name, epoch: String(leader.fence.epoch) })
    return this.#known
  }

  /** What broke here counts no more once somebody leads for longer than one who wins, renews once and breaks. */
  async #heedOther(): Promise<void> {
    if (this.#brokenTerms === 0) return
    const current = await this.#store.leaders.current()
    const nowMs = this.#nowMs()
    if (current?.alive !== true) this.#seen = undefined
    else if (current.epoch !== this.#seen?.epoch) this.#seen = { epoch: current.epoch, sinceMs: nowMs }
    else if (nowMs - this.#seen.sinceMs > 2 * this.#options.ttlMs) this.#brokenTerms = 0
  }

  #follow(reason: string): void {
    this.#inOffice = false
    if (this.#known === undefined) return
    this.#known = undefined
    this.#log.warn({ reason }, 'following')
  }

  async #lead(known: Known): Promise<boolean> {
    const { leaders } = this.#store
    if (!(await leaders.renew(known.leader, this.#options.ttlMs))) return false
    const members = await leaders.members()
    known.alive = await noteArrivals(leaders, this.#log, known.alive, members)
    const counts = await leaders.countRows(known.leader)
    if (counts === 'stale') return false
    known.counts = counts
    const { paused, mapVersion } = await this.#attend(known)
    await this.#readMapIfChanged(known, members, mapVersion)

    const living = members.filter((member) => member.alive)
    const nowMs = this.#nowMs()
    const { strategy = 'sticky', zones = 'weights', rebalanceIntervalMs, tolerance, budgetRows, tune } = this.#options
    const tuning = tune?.(known.limits) ?? { tolerance, rebalanceIntervalMs, budgetRows }
    const { targets } = known.map
    const admitted = this.#admission.of(living, ownersOf(known.map), nowMs)
    const shares = admitted.map(({ name, weight, zone, draining, away }) => [name, weight, zone, draining, away]).join()
    const compare = shares !== known.fitted
    const decision = decide({ members: admitted, targets, counts, strategy, zones, compare, ...tuning })
    const outage = decision?.cause === 'left' && nowMs - this.#storeFailedMs < outageSettleMs
    if (decision !== undefined && !outage && this.#pacing.mayAct(decision.cause, nowMs, tuning.rebalanceIntervalMs)) {
      if (!(await this.#carryOut(known, decision))) return false
      this.#pacing.acted(nowMs)
      known.fitted = shares
    } else if (decision === undefined) {
      this.#pacing.mayAct(undefined, nowMs)
      known.fitted = shares
    }
    if (!(await this.#takeOver(known))) return false
    if (!(await known.recounting.step(known.leader))) return false
    this.#metrics.observe({
      members,
      rows: counts.reduce((sum, count) => sum + count, 0),
      maxOverMean: unevenness(living, known.map.owners, counts, zones),
      unownedSlots: known.map.owners.filter((owner) => owner === undefined || !known.alive.has(owner)).length,
      errorRows: known.recounting.errorRows,
      paused,
    })
    return true
  }

  /**
   * Every change of the map bumps the epoch of somebody, or is our own. The version tells when one of our own is gone: after a fail-over
   * that has lost it, its slots would otherwise wait forever for a target that the store does not know.
   */
  async #readMapIfChanged(known: Known, members: readonly MemberState[], mapVersion: bigint): Promise<void> {
    const epochs = members.map(({ name, epoch }) => `${name}@${epoch}`).join()
    if (epochs === known.epochs && mapVersion === known.map.version) return
    known.map = await this.#store.leaders.map()
    known.epochs = epochs
  }

  /** Reads the limits now and then, and sees a resume through whose beginner may be gone. */
  async #attend(known: Known): Promise<{ readonly paused: boolean; readonly mapVersion: bigint }> {
    const { operator } = this.#store
    if (known.step % stepsPerLimits === 0) known.limits = await operator.limits()
    known.step += 1
    const { pausedSinceMs, resuming, mapVersion } = await operator.pauseState()
    if (resuming) await operator.resume({ catchUp: false })
    return { paused: pausedSinceMs !== undefined && !resuming, mapVersion }
  }

  async #carryOut(known: Known, { cause, workers, result }: Decision): Promise<boolean> {
    const published = await this.#store.leaders.publish(known.leader, result.moves, causeSentence(cause, workers))
    if (published === 'stale') return false
    known.map = { ...known.map, targets: result.next, version: known.map.version + 1n }
    const stats = { cause, workers, ...result.stats }
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
}

function ownersOf({ owners, targets }: SlotMap): ReadonlySet<string> {
  return new Set([...owners, ...targets].filter((name) => name !== undefined))
}
