import type { Sample } from '../sample.ts'

export interface Figure {
  readonly label: string
  readonly value: string
  /** Why a look is worth it; shown in colour, and said in words by the value. */
  readonly tone?: 'good' | 'warn' | 'bad'
}

export interface Line {
  readonly label: string
  /** Undefined: there was nothing to measure, and the line goes on with the next value. Null: nobody knows, and it has a gap. */
  readonly of: (now: Sample, before: Sample | undefined) => number | null | undefined
  /** Drawn as a bound, not as a measurement. */
  readonly bound?: boolean
}

export interface Plot {
  readonly title: string
  readonly unit: string
  readonly lines: readonly Line[]
}

/** What of a service is shown in few words: on the overview, on its page, and to curl. */
export interface View {
  readonly title: string
  /** What it promises. */
  readonly promise: string
  readonly figures: (now: Sample, before: Sample | undefined) => readonly Figure[]
  /** The first one is the one on the overview. */
  readonly plots: readonly Plot[]
}
