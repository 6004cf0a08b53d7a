/**
 * Rows that are ticked once a second, each by exactly one worker.
 *
 * Words. A *row* has an id, a value and the last *tick* (a second of the store's clock, unix seconds) credited to it. A *slot* is a fixed
 * share of the ids (`slotOf`). A *worker* owns slots through its *lease*; a lease is named by its *fence* (epoch and nonce) and
 * its slots never change under one fence. The *leader* decides who should own what (the *target*); slots change hands either
 * by the donor, right after its tick (*hand-over*), or by the leader when their owner is gone (*take-over*).
 *
 * Promises, kept by the store and not by its callers:
 * - A row is credited at most once for each tick, whoever asks, however late. `value - lastTick` of a row never changes
 *   (until the value saturates or someone edits the row), so both doubled and lost ticks show, see `tick-check.ts`.
 * - After a fence was replaced, nothing is written under the old one any more: the change of a lease waits for the tick that is running
 *   under it, and a tick that comes later finds no lease.
 * - Each slot has at most one owner at any moment. Time is the store's; no caller passes a tick, a deadline or an epoch it made up.
 * - Every call is one step that is applied as a whole or not at all. A rejected promise means unknown; all calls may be repeated
 *   (`addRows` by count adds again).
 */
export interface WorkItemStore extends AsyncDisposable {
  readonly backend: string
  /** Number of slots, a power of two, fixed when the store was made. */
  readonly slots: number
  readonly workers: WorkerSide
  readonly leaders: LeaderSide
  readonly operator: OperatorSide
  readonly rows: Rows
  /** Rejects when the store cannot be used now. */
  check(): Promise<void>
}

/** Characters: that of a host name, which is what workers are called by default. */
export const longestWorkerName = 253

/** One process that works under a name. A restarted process is another incarnation of the same worker. */
export interface WorkerIdentity {
  readonly name: string
  /** A fresh uuid for each process. */
  readonly incarnation: string
}

/** Compared for equality. The nonce is minted at each bump, because a fail-over to a replica may hand out an epoch twice. */
export interface Fence {
  readonly epoch: bigint
  readonly nonce: string
}

export interface WorkerLease extends WorkerIdentity {
  readonly fence: Fence
  readonly slots: readonly number[]
}

export interface WorkerSide {
  /**
   * Joins, or comes back under the same name: slots are kept, the epoch is bumped, and an older incarnation is fenced off from now on.
   * A drain asked for earlier is forgotten. While all is paused the lease has no slots. `zone`: a failure domain, '' when there are none.
   */
  register(worker: WorkerIdentity, options: { weight: number; ttlMs: number; zone?: string }): Promise<WorkerLease>
  /** Lives for another `ttlMs`. Never waits behind a tick. */
  heartbeat(worker: WorkerIdentity, report: HeartbeatReport): Promise<Heartbeat>
  /**
   * Credits every row of the lease's slots up to the current tick: `value + (tick - lastTick)`, at the type's maximum at most.
   * Rows without a value (NULL) are left alone. `expectedNowMs`: when the store's clock is further than `clockToleranceMs`
   * from it, nothing is written. One set-based statement; about 1 ms per 600 rows.
   */
  tick(lease: WorkerLease, clock?: { expectedNowMs: number; clockToleranceMs: number }): Promise<TickOutcome>
  /**
   * Gives the slots whose target is another live worker to that worker. To be called right after a tick: the receiver's next tick is
   * then the row's next tick, and none is missed. Returns the donor's new lease, or the reason why it has none.
   */
  handOver(lease: WorkerLease): Promise<{ kind: 'handed-over'; lease: WorkerLease; slots: number } | Refused>
  /** The rows of these slots: their ids in order when there are at most `limit`, always their number and a fingerprint of the ids. */
  watched(lease: WorkerLease, limit: number): Promise<Watched>
  /**
   * Asks for everything to be taken away; false when there is no such live worker. With an incarnation only that process is meant:
   * false, and nothing is asked of its successor, when another one has taken the name.
   */
  drain(worker: { readonly name: string; readonly incarnation?: string }): Promise<boolean>
  /**
   * Stops living now; whatever it still owns may be taken over. With `restartWithinMs` it is *away*: it keeps what it owns, gets nothing
   * more, and only when it has not registered again by then is it gone. One that is being drained is gone now.
   */
  leave(worker: WorkerIdentity, options?: { readonly restartWithinMs: number }): Promise<void>
}

export interface HeartbeatReport {
  readonly ttlMs: number
  readonly rows: number
  /** Store time of the last successful tick, unix ms; 0 before the first. */
  readonly lastTickMs: number
  /** The longest time since a row's previous tick that this worker has met, in ticks; 1 is regular. */
  readonly longestGapTicks: number
}

export type Heartbeat =
  | {
      readonly kind: 'alive'
      readonly draining: boolean
      readonly otherTakers: number
      /** All is paused: the lease has no slots. */
      readonly paused: boolean
    }
  /** Another incarnation has registered under this name, or nobody has. */
  | { readonly kind: 'superseded' }

export type TickOutcome =
  | Ticked
  | Refused
  | { readonly kind: 'clock-jump'; readonly nowMs: number; readonly expectedNowMs: number }

export interface Ticked {
  readonly kind: 'ticked'
  readonly tick: bigint
  readonly nowMs: number
  /** Rows credited by this call. */
  readonly rows: number
  /** Of those, rows that stand at the maximum of their type. */
  readonly saturated: number
  /** Ticks credited late, beyond one per row; undefined when the store cannot tell. */
  readonly caughtUp: number | undefined
  /** The most ticks that one row got at once; undefined when the store cannot tell. */
  readonly longestGapTicks: number | undefined
  /** Changes whenever the set of credited rows changes. */
  readonly fingerprint: string
  /** Slots that wait for `handOver`. */
  readonly toHandOver: number
}

export type Refused =
  /** The lease was replaced; `lease` is the current one, to go on with at once. */
  { readonly kind: 'fenced'; readonly lease: WorkerLease } | { readonly kind: 'superseded' }

export interface Watched {
  readonly rows: number
  readonly ids: readonly string[] | undefined
  readonly fingerprint: string
}

export interface Leader {
  readonly name: string
  readonly fence: Fence
}

export interface LeaderSide {
  /** Becomes the leader when there is none or its time is up; bumps the epoch. */
  campaign(name: string, ttlMs: number): Promise<Leader | undefined>
  /** False: somebody else leads. */
  renew(leader: Leader, ttlMs: number): Promise<boolean>
  resign(leader: Leader): Promise<void>
  current(): Promise<{ name: string; epoch: bigint; alive: boolean } | undefined>
  members(): Promise<readonly MemberState[]>
  map(): Promise<SlotMap>
  /** Sets targets. Nothing changes hands yet. `cause`: why, for `explain`. */
  publish(leader: Leader, moves: readonly Target[], cause?: string): Promise<'published' | 'stale'>
  /** Gives slots whose owner is gone or away to their target, if that lives and is not away. `unownedMs` is how long they went without a tick, at most. */
  takeOver(leader: Leader): Promise<TakenOver | 'stale'>
  /**
   * Rows per slot, exact but for writes of the last moment. Only the leader may ask: the answer folds the store's change log.
   * Not to be written to; the same array as before means that nothing has changed.
   */
  countRows(leader: Leader): Promise<Uint32Array | 'stale'>
  /** Rows per slot for who only looks: nothing is folded, any control plane may ask. */
  estimateRows(): Promise<Uint32Array>
  /** Counts the rows of some slots from scratch and corrects what `countRows` returns. */
  recount(leader: Leader, fromSlot: number, toSlot: number): Promise<Recount | 'stale'>
  /**
   * Gives rows in these slots, and in slots that there are none of, the slot of their id, and returns how many had another: their
   * slot was written past what keeps it. At most 10,000 at once. Such a row may be ticked by nobody, but never twice.
   */
  repairSlots(leader: Leader, fromSlot: number, toSlot: number): Promise<number | 'stale'>
  /** Notes something for the history, which keeps the latest 1,000. */
  record(kind: string, detail: Readonly<Record<string, unknown>>): Promise<void>
  history(limit: number): Promise<readonly HistoryEvent[]>
}

/** What people do to the whole. Not fenced by a leader: each call is one step on the store, or a row of steps that may be repeated. */
export interface OperatorSide {
  /** Nothing is ticked from now on: waits for ticks that run and takes the slots from all leases. */
  pause(): Promise<'paused' | 'already-paused' | 'resuming'>
  /**
   * Ticks go on. The time of the pause is skipped: every row's last tick is moved by it, part by part, before anybody ticks, and what
   * was due before the pause stays due. A store in which others may hold a row leaves out the slot of such a row: it goes on with the first
   * call that finds its rows free, and until then the state is `resuming`. With `catchUp` the pause is credited like any delay instead. Interrupted, it goes on where it
   * was with the next call, and as it was begun. Nothing happens unless all is paused.
   */
  resume(options: { readonly catchUp: boolean }): Promise<void>
  pauseState(): Promise<PauseState>
  /** What `setLimits` has set; the meaning of the names is the callers'. */
  limits(): Promise<Limits>
  /** Merged into what is set; null removes one. */
  setLimits(limits: Readonly<Record<string, number | boolean | null>>): Promise<void>
}

export type Limits = Readonly<Record<string, number | boolean>>

export interface PauseState {
  /** Undefined: all is ticked. Unix ms. */
  readonly pausedSinceMs: number | undefined
  /** Rows are being prepared to go on: all of them while `pausedSinceMs` is set, afterwards those that others hold. */
  readonly resuming: boolean
  /** Pauses that were skipped so far: `value - lastTick` of rows may be compared only while this stays the same. */
  readonly skips: bigint
  /** Of the map as it is now: a leader that has another one in mind must read it again, see `SlotMap`. */
  readonly mapVersion: bigint
}

export interface MemberState {
  readonly name: string
  /** Of whom something was heard in time, or who is away and may still come back. */
  readonly alive: boolean
  readonly draining: boolean
  readonly away: boolean
  readonly weight: number
  readonly zone: string
  readonly epoch: bigint
  readonly slots: number
  /** As last reported by its heartbeat. */
  readonly rows: number
  readonly lastTickMs: number
  /** Of this incarnation; 2,147,483,647 at most. */
  readonly longestGapTicks: number
}

export interface Target {
  readonly slot: number
  readonly to: string
}

export interface SlotMap {
  /** Grows by one with every change of the map, and falls back where a fail-over has lost the latest ones. */
  readonly version: bigint
  readonly owners: readonly (string | undefined)[]
  readonly targets: readonly (string | undefined)[]
}

export interface TakenOver {
  readonly slots: number
  readonly unownedMs: number
}

export interface Recount {
  /** Rows by which the running count was off. */
  readonly corrected: number
  /** Rows that cannot be ticked because they have no value. */
  readonly errorRows: number
}

export interface HistoryEvent {
  readonly atMs: number
  readonly kind: string
  readonly detail: Readonly<Record<string, unknown>>
}

export interface Row {
  readonly id: string
  readonly value: number | undefined
  readonly lastTick: bigint
  readonly worker: string | undefined
}

export interface Explanation extends Row {
  readonly slot: number
  readonly owner: string | undefined
  readonly target: string | undefined
  /** Since when the owner has this slot, unix ms. */
  readonly ownerSinceMs: number | undefined
  readonly epoch: bigint | undefined
  readonly ownerAlive: boolean
  /** It has left to come back, and time is not up. */
  readonly ownerAway: boolean
  /** Why the owner got it, as `publish` was told. */
  readonly cause: string | undefined
  /** Up to five former owners, the latest first. */
  readonly formerOwners: readonly FormerOwner[]
  readonly nowMs: number
}

export interface FormerOwner {
  readonly owner: string
  readonly sinceMs: number
  readonly cause: string | undefined
}

export interface Rows {
  count(): Promise<number>
  /** In order of ids, `after` excluded. */
  list(after: string | undefined, limit: number): Promise<readonly Row[]>
  /** Ids that exist already are left as they are. Returns the number of new rows. Their first tick is the next one. */
  add(rows: { count: number } | { ids: readonly string[] }): Promise<number>
  /** Returns the number of removed rows; `count` removes from the start of the order of ids. */
  remove(rows: { count: number } | { ids: readonly string[] }): Promise<number>
  explain(id: string): Promise<Explanation | undefined>
  /** What `tick-check.ts` compares: exact state of every row, in order of ids. */
  offsets(after: string | undefined, limit: number): Promise<readonly RowOffset[]>
}

export interface RowOffset {
  readonly id: string
  /** Undefined: an error row, which is not ticked. */
  readonly value: bigint | undefined
  readonly lastTick: bigint
  /** Another one for a row that was added again under the id of a removed one. */
  readonly born: string
}
