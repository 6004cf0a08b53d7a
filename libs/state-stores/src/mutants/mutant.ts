/** One dangerous line taken out, and the tests that must fail without it. */
export interface Mutant {
  readonly name: string
  /** Below `src`. */
  readonly file: string
  /** Occurs once. */
  readonly line: string
  readonly instead: string
  readonly test: string
  /** Part of the names of the tests in that file, so that one need not wait for the others. */
  readonly named?: string
  /** Needs a server. */
  readonly backend?: 'redis'
}

/** Where the one that is to be put in stands in the environment of a test run, and of all that it starts. */
export const variable = 'STATE_STORES_MUTANT'

export type Change = Pick<Mutant, 'file' | 'line' | 'instead'>

export function chosenChange(): Change {
  const { file, line, instead } = Object(JSON.parse(process.env[variable] ?? '{}'))
  if (typeof file !== 'string' || typeof line !== 'string' || typeof instead !== 'string') {
    throw new TypeError(`${variable} names no changed line`)
  }
  return { file, line, instead }
}
