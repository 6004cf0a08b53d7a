import { parseArgs } from 'node:util'

/** A wrong command line: `message` is one sentence for the user, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

interface FlagBase {
  readonly help: string
}
export interface SwitchFlag extends FlagBase {
  readonly kind: 'switch'
}
export interface TextFlag extends FlagBase {
  readonly kind: 'text'
  /** How the value is called in the help text. */
  readonly value: string
  readonly default?: string
}
export interface IntegerFlag extends FlagBase {
  readonly kind: 'integer'
  readonly value: string
  readonly min: number
  readonly max: number
  readonly default: number
}
export type Flag = SwitchFlag | TextFlag | IntegerFlag
export type Flags = Readonly<Record<string, Flag>>

export type ValuesOf<F extends Flags> = {
  readonly [K in keyof F]: F[K] extends SwitchFlag
    ? boolean
    : F[K] extends IntegerFlag
      ? number
      : F[K] extends { default: string }
        ? string
        : string | undefined
}

export interface CommandLine<F extends Flags> {
  readonly flags: ValuesOf<F>
  readonly words: readonly string[]
}

/** `--flag value` and `--flag=value`; `maxWords` bounds the arguments that are no flags. */
export function parseCommandLine<const F extends Flags>(
  argv: readonly string[],
  flags: F,
  maxWords = 0,
): CommandLine<F> {
  const options = Object.fromEntries(
    Object.entries(flags).map(([name, { kind }]) => [
      name,
      { type: kind === 'switch' ? 'boolean' : 'string' } as const,
    ]),
  )
  const { values, positionals, tokens } = parseArgs({
    args: [...argv],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  for (const token of tokens) {
    if (token.kind === 'option' && !Object.hasOwn(flags, token.name)) {
      throw new UsageError(`Unknown flag ${token.rawName}; --help lists the known ones.`)
    }
  }
  const surplus = positionals[maxWords]
  if (surplus !== undefined) throw new UsageError(`Unexpected argument "${surplus}"; --help shows the usage.`)
  const read = Object.entries(flags).map(([name, flag]) => [name, readFlag(name, flag, values[name])])
  return { flags: Object.fromEntries(read) as ValuesOf<F>, words: positionals }
}

type FlagValue = string | number | boolean | undefined

function readFlag(name: string, flag: Flag, raw: unknown): FlagValue {
  switch (flag.kind) {
    case 'switch':
      return readSwitch(name, raw)
    case 'text':
      return raw === undefined ? flag.default : readText(name, flag, raw)
    case 'integer':
      return raw === undefined ? flag.default : readInteger(name, flag, raw)
    default:
      return flag satisfies never
  }
}

function readSwitch(name: string, raw: unknown): boolean {
  if (typeof raw === 'string') throw new UsageError(`--${name} takes no value.`)
  return raw === true
}

function readText(name: string, { value }: TextFlag, raw: unknown): string {
  if (typeof raw !== 'string' || raw === '') throw new UsageError(`--${name} needs a value: --${name} ${value}.`)
  return raw
}

function readInteger(name: string, { min, max }: IntegerFlag, raw: unknown): number {
  const value = typeof raw === 'string' && /^\d+$/.test(raw) ? Number(raw) : Number.NaN
  if (value >= min && value <= max) return value
  const got = typeof raw === 'string' ? `"${raw}"` : 'nothing'
  throw new UsageError(`--${name} needs a whole number from ${min} to ${max}, got ${got}.`)
}

/** What a program does: its exit code is what `main` gives, 2 for a wrong command line, 1 for any other error, told in a line. */
export async function runProgram(main: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await main()
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`)
    process.exitCode = error instanceof UsageError ? 2 : 1
  }
}

/** The flags as aligned help lines. */
export function describeFlags(flags: Flags): string {
  const lines = Object.entries(flags).map(([name, flag]) => {
    const usage = flag.kind === 'switch' ? `--${name}` : `--${name} ${flag.value}`
    const preset = flag.kind !== 'switch' && flag.default !== undefined ? ` (default: ${flag.default})` : ''
    return [usage, `${flag.help}${preset}`] as const
  })
  const width = Math.max(...lines.map(([usage]) => usage.length))
  return lines.map(([usage, help]) => `  ${usage.padEnd(width)}   ${help}`).join('\n')
}
