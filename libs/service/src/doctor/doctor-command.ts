import { loadConfig } from '../config/load-config.ts'
import type { ConfigDefinition, ConfigOf } from '../config/define-config.ts'
import { settingsOf } from '../config/service-options.ts'
import type { Command } from '../process/command.ts'
import type { Check } from './check.ts'
import { examine, report } from './examine.ts'
import { ownChecks } from './own-checks.ts'

/** Opened by a process before its command runs: here they are looked at instead, each with a line of its own. */
const notOpened = {
  metricsListen: undefined,
  tlsCert: undefined,
  tlsKey: undefined,
  tlsClientCa: undefined,
  auth: undefined,
  authTokens: undefined,
  authSubjects: undefined,
  otlpEndpoint: undefined,
}

/**
 * The command `doctor`: with the flags, variables and file of the service it says, in a sentence each, what a start here and now would
 * find. Ends with 0 when it could start, else with 1; with 2 on wrong flags.
 */
export function doctorCommand<D extends ConfigDefinition>(
  service: D,
  checksOf: (config: ConfigOf<D>) => readonly Check[],
  print: (text: string) => void = (text) => void process.stdout.write(text),
): Command {
  const { app, prefix } = service
  return {
    definition: {
      ...service,
      summary: `says what would keep ${app} from starting here with these settings: Node, ports, files, each store`,
      examples: [`${app} doctor`, `${app} doctor --listen 127.0.0.1:0`],
    },
    kind: 'task',
    prepare(flags, surroundings) {
      const loaded = loadConfig(service, flags, surroundings)
      // `loadConfig` fills exactly the options of the definition, which ConfigOf describes.
      const config = loaded.values as ConfigOf<D>
      const settings = settingsOf(loaded.values)
      return {
        loaded,
        settings: { ...settings, ...notOpened },
        async run() {
          const findings = await examine([...ownChecks(prefix, settings), ...checksOf(config)])
          print(report(app, findings))
          return findings.every(({ ok }) => ok) ? 0 : 1
        },
      }
    },
  }
}
