import type { ConfigDefinition, ConfigOf } from '../config/define-config.ts'
import type { LoadedConfig, Surroundings } from '../config/load-config.ts'
import { loadConfig } from '../config/load-config.ts'
import { settingsOf, type ServiceSettings } from '../config/service-options.ts'
import type { Options } from '../config/option.ts'
import type { Flags } from '../config/read-flags.ts'
import type { Service } from './service.ts'

/** 'service' runs until it is told to stop; 'task' until its body returns. */
export type CommandKind = 'service' | 'task'

/** A command with its types folded away, so that commands of different configurations fit one table. */
export interface Command {
  readonly definition: ConfigDefinition
  readonly kind: CommandKind
  prepare(flags: Flags, surroundings: Surroundings): PreparedCommand
}

export interface PreparedCommand {
  readonly loaded: LoadedConfig<Options>
  readonly settings: ServiceSettings
  /** Exit code of a task. */
  run(service: Service<unknown>): Promise<number | void>
}

/**
 * A command of an app. The body of a service returns once it listens (or works); that of a task once it is done,
 * with its exit code (default 0). Whatever a body throws while starting becomes one sentence on stderr.
 */
export function command<D extends ConfigDefinition>(
  definition: D,
  body: (service: Service<ConfigOf<D>>) => Promise<number | void>,
  { kind = 'service' }: { readonly kind?: CommandKind } = {},
): Command {
  return {
    definition,
    kind,
    prepare(flags, surroundings) {
      const loaded = loadConfig(definition, flags, surroundings)
      // `loadConfig` fills exactly the options of the definition, which ConfigOf describes.
      const config = loaded.values as ConfigOf<D>
      return { loaded, settings: settingsOf(loaded.values), run: (service) => body({ ...service, config }) }
    },
  }
}
