/**
 * How many new workers are taken into the plan: a token bucket of one second's worth. Those beyond wait for their turn in order of
 * names; they live, but are given nothing yet. So a crowd of restarting strangers costs a bounded number of plans.
 */
export class Admission {
  readonly #perSecond: number
  readonly #admitted = new Set<string>()
  #tokens: number
  #atMs: number | undefined

  constructor(perSecond: number) {
    this.#perSecond = perSecond
    this.#tokens = perSecond
  }

  /** The members that count now. Whoever has something to lose (`owners`) always does. */
  of<M extends { readonly name: string }>(members: readonly M[], owners: ReadonlySet<string>, nowMs: number): M[] {
    const passedMs = nowMs - (this.#atMs ?? nowMs)
    this.#atMs = nowMs
    this.#tokens = Math.min(this.#perSecond, this.#tokens + (passedMs * this.#perSecond) / 1_000)
    const names = new Set(members.map(({ name }) => name))
    for (const name of this.#admitted) if (!names.has(name)) this.#admitted.delete(name)
    for (const name of [...names].toSorted()) {
      if (this.#admitted.has(name)) continue
      if (!owners.has(name)) {
        if (this.#tokens < 1) continue
        this.#tokens -= 1
      }
      this.#admitted.add(name)
    }
    return members.filter(({ name }) => this.#admitted.has(name))
  }
}
