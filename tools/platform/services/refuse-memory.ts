import { StartError } from '../start-error.ts'

/** `memory:` ends at the border of its process: two processes on it would be two stores, and nothing would arrive. */
export function refuseMemory(variables: readonly string[], env: Readonly<Record<string, string | undefined>>): void {
  const variable = variables.find((name) => env[name]?.startsWith('memory:'))
  if (variable === undefined) return
  throw new StartError(
    `${variable}=${env[variable]} is a store of one process, and several share it here: unset it, or give the URL of a server.`,
  )
}
