import { ConfigError } from './config-error.ts'
import type { ConfigDefinition } from './define-config.ts'
import { checkVariables, readVariable, type Environment } from './environment.ts'
import { flagOf, nearest, variableOf } from './names.ts'
import { ValueError, type AnyOption, type Options, type ValuesOf } from './option.ts'
import type { Flags } from './read-flags.ts'

export interface Surroundings {
  readonly env: Environment
  /** Reads a text file; throws like `readFileSync`. */
  readonly readFile: (path: string) => string
  /** Options of the app's other commands: their variables and file keys are no mistakes here. */
  readonly siblings?: readonly Options[]
}

export interface LoadedConfig<O extends Options> {
  readonly values: ValuesOf<O>
  /** Where each value came from: `flag --store`, `variable COUNTER_STORE`, `file /etc/counter.json`, `default`. */
  readonly sources: Readonly<Record<keyof O, string>>
}

/** flags > environment > file > default. Throws ConfigError with one sentence. */
export function loadConfig<O extends Options>(
  definition: ConfigDefinition<O>,
  flags: Flags,
  { env, readFile, siblings = [] }: Surroundings,
): LoadedConfig<O> {
  const { prefix, options } = definition
  checkVariables(prefix, [options, ...siblings], env)
  const path = flags.configFile ?? (env[`${prefix}_CONFIG`] || undefined)
  const file = path === undefined ? {} : readConfigFile(path, readFile, [options, ...siblings])
  const values: Record<string, unknown> = {}
  const sources: Record<string, string> = {}
  for (const [name, option] of Object.entries(options)) {
    const [value, source] = resolve(name, option)
    if (value === undefined && option.required) {
      throw new ConfigError(`--${flagOf(name)} (${variableOf(prefix, name)}) is missing: ${option.help}`)
    }
    values[name] = value
    sources[name] = source
  }
  // Every key was filled from `options` just above.
  return { values: Object.freeze(values) as ValuesOf<O>, sources: Object.freeze(sources) as Record<keyof O, string> }

  function resolve(name: string, option: AnyOption): readonly [value: unknown, source: string] {
    const flag = `--${flagOf(name)}`
    const texts = flags.values.get(name)
    if (texts !== undefined) {
      const text = option.kind === 'list' ? texts.join(',') : (texts.at(-1) ?? '')
      return [blame(`${flag} (${variableOf(prefix, name)})`, option, () => option.parse(text)), `flag ${flag}`]
    }
    const variable = readVariable(variableOf(prefix, name), option, env, readFile)
    if (variable !== undefined) {
      const { text, from } = variable
      return [blame(`${from} (${flag})`, option, () => option.parse(text)), `variable ${from}`]
    }
    const kept = Object.hasOwn(file, name) ? file[name] : undefined
    if (kept !== undefined && kept !== null) {
      return [blame(`"${name}" in ${path} (${flag})`, option, () => option.accept(kept)), `file ${path}`]
    }
    return [option.default, 'default']
  }
}

function blame<T>(where: string, option: AnyOption, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof ValueError)) throw error
    throw new ConfigError(option.kind === 'secret' ? `${where} cannot be used` : `${where} ${error.message}`)
  }
}

function readConfigFile(
  path: string,
  readFile: Surroundings['readFile'],
  known: readonly Options[],
): Readonly<Record<string, unknown>> {
  let content: unknown
  try {
    content = JSON.parse(readFile(path))
  } catch (error) {
    throw new ConfigError(`--config ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (!isRecord(content)) throw new ConfigError(`--config ${path} must hold one JSON object`)
  const names = known.flatMap((options) => Object.keys(options))
  for (const key of Object.keys(content)) {
    if (names.includes(key)) continue
    const suggestion = nearest(key, names)
    throw new ConfigError(
      `"${key}" in ${path} is not an option${suggestion === undefined ? '' : `; did you mean "${suggestion}"?`}`,
    )
  }
  return content
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
