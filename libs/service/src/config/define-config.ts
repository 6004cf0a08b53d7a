import type { Options, ValuesOf } from './option.ts'
import { flagOf, isServiceLinkName, variableOf } from './names.ts'

export interface Operands {
  /** Shown in the usage line: `<id>`. */
  readonly usage: string
  readonly help: string
  readonly min: number
  readonly max: number
}

export interface ConfigDefinition<O extends Options = Options> {
  /** Name of the program, as typed. */
  readonly app: string
  /** Of every environment variable: `COUNTER` makes `COUNTER_STORE`. */
  readonly prefix: string
  /** One line for `--help`. */
  readonly summary: string
  readonly examples?: readonly string[]
  /** Words after the flags, if the command takes any; they arrive as `service.operands`. */
  readonly operands?: Operands
  readonly options: O
}

export type ConfigOf<D extends ConfigDefinition> = ValuesOf<D['options']>

/** Names taken by every command. */
const reserved = new Set(['help', 'version', 'config', 'printConfig'])

/**
 * The one description of a command's configuration; flags, variables, file keys, help and types come from it.
 * Throws when a name cannot work: it is taken, or Kubernetes would set its variable for a Service of that name.
 */
export function defineConfig<const O extends Options>(definition: ConfigDefinition<O>): ConfigDefinition<O> {
  const taken = new Map<string, string>()
  for (const [name, option] of Object.entries(definition.options)) {
    const variable = variableOf(definition.prefix, name)
    if (reserved.has(name)) throw new TypeError(`option ${name}: --${flagOf(name)} belongs to every command`)
    if (!/^[a-z][a-zA-Z0-9]*$/.test(name)) throw new TypeError(`option ${name}: write it in camelCase`)
    if (isServiceLinkName(variable)) {
      throw new TypeError(`option ${name}: Kubernetes sets ${variable} for a Service of that name; choose another`)
    }
    for (const each of [variable, `${variable}_FILE`, ...option.env]) {
      const owner = taken.get(each)
      if (owner !== undefined) throw new TypeError(`options ${owner} and ${name} both read ${each}`)
      taken.set(each, name)
    }
  }
  return definition
}
