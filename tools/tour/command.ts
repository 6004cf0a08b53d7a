import { appendFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BackendUnavailableError } from '@ballast/backends'
import { describeFlags, parseCommandLine, UsageError } from '../platform/command-line.ts'
import { freePortBase } from '../platform/ports.ts'
import { Platform } from '../platform/platform.ts'
import { StartError } from '../platform/start-error.ts'
import { selectServices } from '../platform/select-services.ts'
import { allServices } from '../platform/services/index.ts'
import { messageStoreService } from '../platform/services/message-store.ts'
import { chapters } from './chapters/index.ts'
import { type RealStores, startRealStores } from './real-stores.ts'
import { runTour } from './run-tour.ts'
import { makeTlsFiles } from './tls-files.ts'

const flags = {
  only: { kind: 'text', value: 'NAMES', help: 'only these chapters, separated by commas' },
  stores: {
    kind: 'text',
    value: 'KIND',
    default: 'embedded',
    help: 'embedded, or real: Redis, Cassandra, PostgreSQL and MongoDB servers of the tour',
  },
  json: { kind: 'switch', help: 'print one JSON object with every checked fact instead of lines' },
  keep: { kind: 'switch', help: 'keep the data folder and the logs, and say where they are' },
  help: { kind: 'switch', help: 'show this text' },
} as const

export interface TourCommandOptions {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly colour: boolean
  readonly print: (line: string) => void
  readonly progress: (line: string) => void
  readonly stop: AbortSignal
}

/** Returns the exit code: 0 when every fact holds, 1 when one does not. */
export async function runTourCommand({
  argv,
  env,
  colour,
  print,
  progress,
  stop,
}: TourCommandOptions): Promise<number> {
  const { flags: given } = parseCommandLine(argv, flags)
  if (given.help) {
    print(tourHelp())
    return 0
  }
  if (given.stores !== 'embedded' && given.stores !== 'real') {
    throw new UsageError(`--stores ${given.stores} is neither embedded nor real.`)
  }
  const folder = await mkdtemp(join(tmpdir(), 'ballast-tour-'))
  await using cleanUp = new AsyncDisposableStack()
  cleanUp.defer(() => (given.keep ? print(`Data and logs: ${folder}`) : rm(folder, { recursive: true, force: true })))

  const tls = await makeTlsFiles(join(folder, 'tls'))
  const services = selectServices(given.only, allServices).map((service) =>
    service.name === 'message-store' ? messageStoreService(tls) : service,
  )
  const dataDir = join(folder, 'data')
  const say = given.json ? () => {} : print
  const stopped = new Promise<never>((_, reject) => {
    stop.addEventListener('abort', () => reject(new Error('The tour was interrupted.')))
  })
  stopped.catch(() => {})
  const real = given.stores === 'real' ? cleanUp.use(await startStores(services, progress)) : undefined
  for (const name of real?.names ?? []) say(name)
  const platform = new Platform({
    services,
    dataDir,
    portBase: await freePortBase(services.map(({ portOffset }) => portOffset)),
    env: { ...withoutStores(env), ...real?.env },
    ca: tls.ca,
    onLog: (record) => appendFileSync(join(folder, 'log.jsonl'), `${JSON.stringify(record)}\n`),
  })
  cleanUp.use(platform)
  await Promise.race([platform.start(), stopped])
  const chosen = chapters.filter(({ name }) => services.some((service) => service.name === name))
  const { writeCommands } = real ?? {}
  const facts = await Promise.race([
    runTour({
      chapters: chosen,
      platform,
      dataDir,
      folder,
      ca: tls.ca,
      ...(writeCommands && { writeCommands }),
      colour,
      print: say,
      progress,
    }),
    stopped,
  ])
  const passed = facts.every(({ holds }) => holds)
  if (given.json) print(JSON.stringify({ passed, facts }))
  return passed ? 0 : 1
}

async function startStores(
  services: readonly { readonly name: string }[],
  progress: (line: string) => void,
): Promise<RealStores> {
  progress('Starting the servers ...')
  try {
    return await startRealStores(services.map(({ name }) => name))
  } catch (cause) {
    throw cause instanceof BackendUnavailableError ? new StartError(cause.message, { cause }) : cause
  }
}

/** The tour writes and kills: it keeps to stores of its own, whatever servers the environment names. */
function withoutStores(
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string | undefined>> {
  const prefixes = allServices.map(({ name }) => `${name.toUpperCase().replaceAll('-', '_')}_`)
  return Object.fromEntries(Object.entries(env).filter(([name]) => !prefixes.some((prefix) => name.startsWith(prefix))))
}

function tourHelp(): string {
  return `Usage: npm run tour -- [flags]

Starts the services on a fresh temporary folder and free ports, drives real traffic through them, kills some of them
in the middle, and checks what they promise. One line per checked fact; exit code 1 when one does not hold.

Chapters
${chapters.map(({ name, title }) => `  ${name.padEnd(17)}   ${title}`).join('\n')}

Flags
${describeFlags(flags)}

Examples
  npm run tour
  npm run tour -- --only counter,scaler
  npm run tour -- --stores real
  npm run tour -- --json > tour.json`
}
