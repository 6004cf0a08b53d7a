import { describeFlags, parseCommandLine, type ValuesOf } from '../platform/command-line.ts'
import type { ServiceDefinition } from '../platform/service.ts'

const flags = {
  only: { kind: 'text', value: 'NAMES', help: 'start these services, separated by commas' },
  'port-base': {
    kind: 'integer',
    value: 'PORT',
    min: 1,
    max: 65_000,
    default: 4000,
    help: 'the console listens here, services on the ports after it',
  },
  'data-dir': { kind: 'text', value: 'FOLDER', default: '.data', help: 'where the embedded stores keep their data' },
  workers: { kind: 'integer', value: 'N', min: 0, max: 64, default: 3, help: 'workers of the scaler' },
  json: { kind: 'switch', help: 'one JSON line on stdout when all is ready; logs as JSON lines on stderr' },
  help: { kind: 'switch', help: 'show this text' },
} as const

export type LauncherFlags = ValuesOf<typeof flags>

export function parseLauncherFlags(argv: readonly string[]): LauncherFlags {
  return parseCommandLine(argv, flags).flags
}

export function launcherHelp(services: readonly ServiceDefinition[]): string {
  const width = Math.max(...services.map(({ name }) => name.length))
  const rows = services.map(
    ({ name, portOffset, storeVariables }) =>
      `  ${name.padEnd(width)}   port base + ${portOffset}   other stores: ${storeVariables.join(', ')}`,
  )
  return `Usage: npm start -- [flags]

Runs the services of Ballast on embedded stores until Ctrl-C. Data stays for the next start.
Set a store variable to use a server instead of the embedded store.

${rows.join('\n')}

Flags
${describeFlags(flags)}

Examples
  npm start
  npm start -- --only counter,scaler --workers 5
  npm start -- --port-base 7000 --data-dir /var/lib/ballast
  COUNTER_STORE=postgres://user@host/db npm start -- --only counter
  npm start -- --json 2>logs.jsonl
`
}
