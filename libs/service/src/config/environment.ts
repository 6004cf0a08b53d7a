import { ConfigError } from './config-error.ts'
import { isServiceLinkName, isServiceLinkValue, nearest, variableOf } from './names.ts'
import type { AnyOption, Options } from './option.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/**
 * The text that the environment holds for an option: the canonical variable first, then aliases; `NAME_FILE` names a
 * file that holds the value (for Docker and Kubernetes secrets). An empty variable counts as unset.
 */
export function readVariable(
  canonical: string,
  option: AnyOption,
  env: Environment,
  readFile: (path: string) => string,
): { readonly text: string; readonly from: string } | undefined {
  for (const variable of [canonical, ...option.env]) {
    const direct = env[variable]
    const path = takesFile(option) ? env[`${variable}_FILE`] : undefined
    if (direct && path) throw new ConfigError(`${variable} and ${variable}_FILE are both set; keep one`)
    if (path) return { text: readSecret(variable, path, readFile), from: `${variable}_FILE` }
    if (direct && !(variable === canonical && isServiceLinkValue(direct))) return { text: direct, from: variable }
  }
  return undefined
}

/** Throws for a variable that has the app's prefix and that no option reads: most likely a slip of the fingers. */
export function checkVariables(prefix: string, known: readonly Options[], env: Environment): void {
  const variables = new Set([`${prefix}_CONFIG`])
  for (const options of known) {
    for (const [name, option] of Object.entries(options)) {
      const variable = variableOf(prefix, name)
      variables.add(variable)
      if (takesFile(option)) variables.add(`${variable}_FILE`)
      for (const alias of option.env) variables.add(alias).add(`${alias}_FILE`)
    }
  }
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith(`${prefix}_`) || variables.has(variable)) continue
    if (isServiceLinkName(variable) || isServiceLinkValue(value ?? '')) continue
    const suggestion = nearest(variable, variables)
    throw new ConfigError(
      `the environment variable ${variable} is not an option of this program${suggestion === undefined ? '; unset it or see --help' : `; did you mean ${suggestion}?`}`,
    )
  }
}

function takesFile(option: AnyOption): boolean {
  return option.kind === 'text' || option.kind === 'secret'
}

function readSecret(variable: string, path: string, readFile: (path: string) => string): string {
  try {
    return readFile(path).replace(/\r?\n$/, '')
  } catch (error) {
    throw new ConfigError(
      `${variable}_FILE ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}
