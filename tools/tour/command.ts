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
import type { CheckedFact } from './chapter.ts'
import { chapters } from './chapters/index.ts'
import { type RealStores, startRealStores } from './real-stores.ts'
import { runChapters, type Runnable } from './run-chapters.ts'
import { runTour } from './run-tour.ts'
import { makeTlsFiles } from './tls-files.ts'
import { credentials, parseTargets, readText } from './visit.ts'
import { visits } from './visits/index.ts'

const flags = {
  only: { kind: 'text', value: 'NAMES', help: 'only these chapters, separated by commas' },
  stores: {
    kind: 'text',
    value: 'KIND',
    default: 'embedded',
    help: 'embedded, or real: Redis, Cassandra, PostgreSQL and MongoDB servers of the tour',
  },
  url: {
    kind: 'text',
    value: 'NAME=URL,...',
    help: 'visit services that run elsewhere: nothing is started, and nothing killed',
  },
  'token-file': { kind: 'text', value: 'FILE', help: 'with --url: a bearer token, sent with every request' },
  ca: { kind: 'text', value: 'FILE', help: 'with --url: PEM of the authority to trust' },
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
  if (given.url === undefined && (given['token-file'] ?? given.ca) !== undefined) {
    throw new UsageError('--token-file and --ca go with --url.')
  }
  if (given.url !== undefined && given.only !== undefined)
    throw new UsageError('--url names its services: leave out --only.')
  const targets =
    given.url === undefined
      ? undefined
      : parseTargets(
          given.url,
          visits.map(({ name }) => name),
        )
  const folder = await mkdtemp(join(tmpdir(), 'ballast-tour-'))
  await using cleanUp = new AsyncDisposableStack()
  cleanUp.defer(() => (given.keep ? print(`Data and logs: ${folder}`) : rm(folder, { recursive: true, force: true })))

  const say = given.json ? () => {} : print
  const stopped = new Promise<never>((_, reject) => {
    stop.addEventListener('abort', () => reject(new Error('The tour was interrupted.')))
  })
  stopped.catch(() => {})
  const finish = (facts: readonly CheckedFact[]): number => {
    const passed = facts.every(({ holds }) => holds)
    if (given.json) print(JSON.stringify({ passed, facts }))
    return passed ? 0 : 1
  }
  const options = { folder, colour, print: say, progress }
  if (targets !== undefined) {
    const headers = await credentials(given['token-file'])
    const ca = given.ca === undefined ? undefined : await readText(given.ca, '--ca')
    const chosen = visits.flatMap(({ name, title, run }): Runnable[] => {
      const url = targets.get(name)
      if (url === undefined) return []
      return [{ name, title: `${title}, at ${url}`, run: (own) => run({ ...own, url, headers, ...(ca && { ca }) }) }]
    })
    return finish(await Promise.race([runChapters(chosen, options), stopped]))
  }

  const tls = await makeTlsFiles(join(folder, 'tls'))
  const services = selectServices(given.only, allServices).map((service) =>
    service.name === 'message-store' ? messageStoreService(tls) : service,
  )
  const dataDir = join(folder, 'data')
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
    runTour({ ...options, chapters: chosen, platform, dataDir, ca: tls.ca, ...(writeCommands && { writeCommands }) }),
    stopped,
  ])
  return finish(facts)
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
With --url it visits services that are deployed, and checks what can be seen from outside; what it writes it removes
again, except for documents of the load-tolerant API.

Chapters
${chapters.map(({ name, title }) => `  ${name.padEnd(17)}   ${title}`).join('\n')}

Flags
${describeFlags(flags)}

Examples
  npm run tour
  npm run tour -- --only counter,scaler
  npm run tour -- --stores real
  npm run tour -- --url counter=http://counter.example.com,scaler=https://scaler.example.com --token-file token
  npm run tour -- --json > tour.json`
}
