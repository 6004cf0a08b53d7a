/** A value that cannot be used. The message completes "--flag (VARIABLE): ..." and says what is allowed. */
export class ValueError extends Error {
  override readonly name = 'ValueError'
}

export interface OptionSpec<T> {
  /** One line for `--help`. */
  readonly help: string
  /** Without a default the option is optional: its value is `T | undefined`. */
  readonly default?: T
  /** Additional environment variables, by their full names, tried after the canonical one. */
  readonly env?: readonly string[]
}

/** A spec whose value is always there. */
export type Present<T> = OptionSpec<T> & ({ readonly default: T } | { readonly required: true })

/** How one option is read and shown. `T` is the type of its value in the configuration. */
export interface Option<T> {
  readonly kind: 'text' | 'integer' | 'flag' | 'choice' | 'duration' | 'bytes' | 'secret' | 'list'
  /** What stands for the value in `--help`: `<ms>`, `<a|b>`; empty for a flag. */
  readonly placeholder: string
  readonly help: string
  readonly default: T
  readonly required: boolean
  readonly env: readonly string[]
  /** Reads a flag or an environment variable. Throws ValueError. */
  parse(this: void, text: string): NonNullable<T>
  /** Reads a value of the JSON file. Throws ValueError. */
  accept(this: void, value: unknown): NonNullable<T>
  /** How a value is written in `--help`. */
  show(this: void, value: NonNullable<T>): string
}

export type AnyOption = Option<unknown>
export type Options = Readonly<Record<string, AnyOption>>
export type ValuesOf<O extends Options> = { readonly [K in keyof O]: O[K] extends Option<infer T> ? T : never }
