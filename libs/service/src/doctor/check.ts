/** One thing that a start needs. */
export interface Check {
  /** Shown before the sentence: `node`, `--store`. */
  readonly name: string
  /** Resolves to what was found, as one sentence; rejects with what is wrong and what to do about it. */
  readonly look: () => Promise<string>
}

export interface Finding {
  readonly name: string
  readonly ok: boolean
  readonly sentence: string
}
