import type { ConfigDefinition } from '../../libs/service/src/config/define-config.ts'
import { loadConfig } from '../../libs/service/src/config/load-config.ts'
import { readFlags } from '../../libs/service/src/config/read-flags.ts'
import { serveConfig as counter } from '../../apps/counter/src/config.ts'
import { apiConfig, consumerConfig } from '../../apps/load-tolerant-api/src/config.ts'
import { serveConfig as messageStore } from '../../apps/message-store/src/config.ts'
import { controlPlaneConfig, workerConfig } from '../../apps/scaler/src/config.ts'

/** By image and by the word after its entrypoint. */
const roles: ReadonlyMap<string, ConfigDefinition> = new Map<string, ConfigDefinition>([
  ['counter serve', counter],
  ['message-store serve', messageStore],
  ['scaler control-plane', controlPlaneConfig],
  ['scaler worker', workerConfig],
  ['load-tolerant-api api', apiConfig],
  ['load-tolerant-api consumer', consumerConfig],
])

/** What the program itself says of these variables, in its own words; undefined when it would start. Files are taken as they come. */
export function complaintOf(role: string, env: Readonly<Record<string, string>>): string | undefined {
  const definition = roles.get(role)
  if (definition === undefined) return `${role} is no role of ours`
  const siblings = [...roles.values()]
    .filter(({ prefix }) => prefix === definition.prefix)
    .map(({ options }) => options)
  try {
    loadConfig(definition, readFlags(definition.options, []), { env, readFile: () => 'content', siblings })
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** `registry.example.com/ballast/scaler:0.1.0` with the arguments `worker` is `scaler worker`; those of one role name none. */
export const roleOf = (image: string, [role = 'serve']: readonly string[] = []): string =>
  `${/([\w-]+)(?::[^/]*)?$/.exec(image)?.[1]} ${role}`
