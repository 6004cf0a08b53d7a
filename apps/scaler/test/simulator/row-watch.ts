import type { Ticked, WorkerLease } from '@ballast/state-stores/work-item'
import type { MemoryWorkItems } from '@ballast/state-stores/work-item/memory'
import type { Checks } from './checks.ts'

interface Seen {
  readonly value: number
  readonly lastTick: bigint
  /** `value - lastTick`, forever. */
  readonly offset: bigint
}

/** Remembers every row as it was, and judges each change. */
export class RowWatch {
  readonly #memory: MemoryWorkItems
  readonly #checks: Checks
  #seen: Map<string, Seen> | undefined

  constructor(memory: MemoryWorkItems, checks: Checks) {
    this.#memory = memory
    this.#checks = checks
  }

  get #rows(): Map<string, Seen> {
    this.#seen ??= this.#read()
    return this.#seen
  }

  /** Before anything is done to rows: a timeline gets its data after it was made. */
  look(): void {
    this.#seen ??= this.#read()
  }

  #read(): Map<string, Seen> {
    return new Map(
      [...this.#memory.state.rows].map(([id, { value = 0, lastTick }]) => [
        id,
        { value, lastTick, offset: BigInt(value) - lastTick },
      ]),
    )
  }

  ticked({ name }: WorkerLease, outcome: Ticked): void {
    const { state } = this.#memory
    const checks = this.#checks
    const now = BigInt(Math.floor(state.nowMs() / 1000))
    const seen = this.#rows
    let credited = 0
    for (const [id, row] of state.rows) {
      const before = seen.get(id)
      const { value = 0, lastTick } = row
      if (before === undefined || (before.value === value && before.lastTick === lastTick)) continue
      const gap = Number(lastTick - before.lastTick)
      credited += 1
      const of = `row ${id.slice(0, 4)} by ${name}, ${before.value} to ${value} over ${gap} ticks`
      if (gap <= 0) checks.violated('I1', `a tick was credited again: ${of}`)
      if (value - before.value !== gap) checks.violated('I2', `credited other than its ticks: ${of}`)
      if (lastTick > now) checks.violated('I2', `a tick of the future was credited: ${of}`)
      if (state.owners[row.slot] !== name) checks.violated('I3', `not the owner: ${of}`)
      if (checks.calm && gap > 1) checks.violated('I2', `a tick was missed although nothing went wrong: ${of}`)
      checks.longestGapTicks = Math.max(checks.longestGapTicks, gap)
      seen.set(id, { value, lastTick, offset: BigInt(value) - lastTick })
    }
    if (credited !== outcome.rows) {
      checks.violated('I1', `${name} was told of ${outcome.rows} credited rows, ${credited} were: the others twice`)
    }
    checks.counts.ticks += 1
    checks.counts.creditedRows += credited
  }

  /** Nothing has changed a row since the last look. */
  untouched(since: string): void {
    for (const [id, { value = 0, lastTick }] of this.#memory.state.rows) {
      const before = this.#rows.get(id)
      if (before !== undefined && (before.value !== value || before.lastTick !== lastTick)) {
        this.#checks.violated('I1', `row ${id.slice(0, 4)} was written by ${since}`)
      }
    }
  }

  /** Ticks that were paused away: another constant from now on, but the same values. */
  resumed(): void {
    const before = this.#rows
    this.#seen = this.#read()
    for (const [id, { value }] of this.#seen) {
      if (before.get(id)?.value !== value) this.#checks.violated('I2', `row ${id.slice(0, 4)} was changed by a resume`)
    }
  }

  rowsChanged(): void {
    const { rows } = this.#memory.state
    const before = this.#rows
    for (const id of before.keys()) if (!rows.has(id)) before.delete(id)
    for (const [id, seen] of this.#read()) if (!before.has(id)) before.set(id, seen)
  }

  /** Every slot is in the lease of its owner, and in no other one. */
  leasesMatchMap(after: string): void {
    const { owners, leases, pausedTick } = this.#memory.state
    const holder = new Map<number, string>()
    for (const [name, { slots }] of leases) {
      for (const slot of slots) {
        const other = holder.get(slot)
        if (other !== undefined) this.#checks.violated('I3', `after ${after}: slot ${slot} has ${other} and ${name}`)
        holder.set(slot, name)
      }
    }
    if (pausedTick !== undefined) return
    for (const [slot, owner] of owners.entries()) {
      if (holder.get(slot) !== owner) {
        this.#checks.violated('I3', `after ${after}: slot ${slot} is of ${owner}, leased to ${holder.get(slot)}`)
      }
    }
  }
}
