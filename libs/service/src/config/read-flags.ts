import { ConfigError } from './config-error.ts'
import type { Options } from './option.ts'
import { flagOf, nearest } from './names.ts'

export interface Flags {
  /** By option name, each with every text given for it, in order. */
  readonly values: ReadonlyMap<string, readonly string[]>
  readonly operands: readonly string[]
  readonly help: boolean
  readonly version: boolean
  readonly printConfig: boolean
  readonly configFile: string | undefined
}

/** Reads `--name value`, `--name=value`, `--name`, `--no-name`; `--` ends the flags. Throws ConfigError. */
export function readFlags(options: Options, argv: readonly string[]): Flags {
  const names = new Map(Object.keys(options).map((name) => [flagOf(name), name]))
  const values = new Map<string, string[]>()
  const operands: string[] = []
  const seen = { help: false, version: false, printConfig: false }
  let configFile: string | undefined
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? ''
    if (word === '--') {
      operands.push(...argv.slice(index + 1))
      break
    }
    if (word === '-h') {
      seen.help = true
      continue
    }
    if (!word.startsWith('--')) {
      operands.push(word)
      continue
    }
    const equals = word.indexOf('=')
    const flag = word.slice(2, equals < 0 ? undefined : equals)
    const attached = equals < 0 ? undefined : word.slice(equals + 1)
    const following = (): string => {
      const text = attached ?? argv[++index]
      if (text === undefined) throw new ConfigError(`--${flag} needs a value`)
      return text
    }
    if (flag === 'help') seen.help = true
    else if (flag === 'version') seen.version = true
    else if (flag === 'print-config') seen.printConfig = true
    else if (flag === 'config') configFile = following()
    else {
      const [name, text] = recognise(options, names, flag, attached, following)
      const given = values.get(name)
      if (given === undefined) values.set(name, [text])
      else given.push(text)
    }
  }
  return { values, operands, configFile, ...seen }
}

function recognise(
  options: Options,
  names: ReadonlyMap<string, string>,
  flag: string,
  attached: string | undefined,
  following: () => string,
): readonly [name: string, text: string] {
  const name = names.get(flag)
  if (name !== undefined) return [name, options[name]?.kind === 'flag' ? (attached ?? 'true') : following()]
  const negated = flag.startsWith('no-') ? names.get(flag.slice(3)) : undefined
  if (negated !== undefined && options[negated]?.kind === 'flag' && attached === undefined) return [negated, 'false']
  const suggestion = nearest(flag, [...names.keys(), 'config', 'help', 'version', 'print-config'])
  throw new ConfigError(
    `--${flag} is not a flag of this command${suggestion === undefined ? '; see --help' : `; did you mean --${suggestion}?`}`,
  )
}
