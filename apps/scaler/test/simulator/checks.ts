/** What is told of a run while it runs: the latest lines, for the seed that fails, and what is wrong. */
export class Checks {
  readonly #nowMs: () => number
  readonly #lines: string[] = []
  readonly violations: string[] = []
  readonly counts = {
    ticks: 0,
    creditedRows: 0,
    refused: 0,
    handOvers: 0,
    takeOvers: 0,
    plans: 0,
    movedRows: 0,
    scalings: 0,
  }
  /** Nothing goes wrong from now on: no row may miss a tick. */
  calm = false
  /** Nothing changes from now on: nothing may move. */
  atRest = false
  longestGapTicks = 0
  /** When rows came or went last. */
  rowsChangedMs = 0

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  rowsChanged(): void {
    this.rowsChangedMs = this.#nowMs()
  }

  trace(line: string): void {
    this.#lines.push(`${(this.#nowMs() / 1000).toFixed(3)} ${line}`)
    if (this.#lines.length > 4_000) this.#lines.splice(0, 2_000)
  }

  /** `rule` is one of I1 to I8. */
  violated(rule: string, what: string): void {
    this.trace(`VIOLATED ${rule}: ${what}`)
    this.violations.push(`${rule} at ${(this.#nowMs() / 1000).toFixed(3)} s: ${what}`)
  }

  get lines(): readonly string[] {
    return this.#lines
  }
}
