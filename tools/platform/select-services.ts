import { UsageError } from './command-line.ts'
import type { ServiceDefinition } from './service.ts'

/** The services that `--only a,b` names, all of them without it. */
export function selectServices(only: string | undefined, services: readonly ServiceDefinition[]): ServiceDefinition[] {
  if (only === undefined) return [...services]
  const names = new Set(only.split(',').map((name) => name.trim()))
  const known = services.map(({ name }) => name)
  for (const name of names) {
    if (!known.includes(name)) throw new UsageError(`--only knows no service "${name}"; there are ${known.join(', ')}.`)
  }
  return services.filter(({ name }) => names.has(name))
}
