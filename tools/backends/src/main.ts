import { backendKinds, type BackendKind, type RunningBackend } from './backend.ts'
import { definitions } from './definitions.ts'
import { findServer } from './find-server.ts'
import { reachRunning, reachServer } from './guard-client.ts'
import type { GuardOrder } from './guard-protocol.ts'

const help = `backends: real servers for the stores, on this machine

  npm run backends -- up redis postgres ...   start (or find running) servers that stay until "down"; prints their URLs
  npm run backends -- down [kind...]          end them; without a kind, all
  npm run backends -- status                  which are up
  npm run backends -- doctor                  what can be had here, and the one command that makes the rest available

  --json      machine-readable output
  --help

Kinds: ${backendKinds.join(', ')}. BACKENDS_INSTALL=1 allows apt-get where a server is a Debian package.
`

/** A server that stays up between two calls of this program. */
const pinned = (kind: BackendKind): GuardOrder => ({ kind, name: `up ${kind}`, options: {}, lingerMs: null })

const args = process.argv.slice(2)
const json = args.includes('--json')
const [action, ...names] = args.filter((arg) => !arg.startsWith('--'))

process.exit(await main())

async function main(): Promise<number> {
  const unknown =
    names.find((name) => !isKind(name)) ??
    args.find((arg) => arg.startsWith('--') && !['--json', '--help'].includes(arg))
  if (unknown !== undefined) return complain(`"${unknown}" is not known here; kinds are ${backendKinds.join(', ')}`)
  const kinds = [...new Set(names.filter(isKind))]
  if (args.includes('--help')) return say(help)
  if (action === 'up') return up(kinds)
  if (action === 'down') return down(kinds.length > 0 ? kinds : backendKinds)
  if (action === 'status') return status()
  if (action === 'doctor') return doctor()
  return complain('say what to do: up, down, status or doctor (--help tells more)')
}

async function up(kinds: readonly BackendKind[]): Promise<number> {
  if (kinds.length === 0) return complain(`name the servers to start: ${backendKinds.join(', ')}`)
  let code = 0
  const rows: Row[] = []
  const begun: BackendKind[] = []
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void takeBack(begun))
  for (const kind of kinds) {
    try {
      if (urlInEnvironment(kind)) {
        rows.push({ kind, state: 'available', from: definitions[kind].variable })
        continue
      }
      const running = await reachRunning(pinned(kind))
      const server = running ?? (await start(kind))
      if (running === undefined) begun.push(kind)
      rows.push({
        kind,
        url: server.url,
        version: server.version,
        pid: server.pid,
        seconds: server.readyAfterMs / 1000,
      })
    } catch (error) {
      rows.push({ kind, problem: error instanceof Error ? error.message : String(error) })
      code = 1
    }
  }
  print(rows)
  return code
}

/** One that still starts ends by itself, as its only user goes. */
async function takeBack(kinds: readonly BackendKind[]): Promise<void> {
  try {
    for (const kind of kinds) await end(kind)
  } finally {
    process.exit(130)
  }
}

/** What has to be downloaded is downloaded here, where the user sees how it goes, and not by the guard. */
async function start(kind: BackendKind): Promise<RunningBackend> {
  await findServer(kind, {}, true)
  return reachServer(pinned(kind))
}

async function down(kinds: readonly BackendKind[]): Promise<number> {
  const rows: Row[] = []
  for (const kind of kinds) {
    if (await end(kind)) rows.push({ kind, state: 'ended' })
  }
  print(rows)
  return 0
}

/** False when there is none. */
async function end(kind: BackendKind): Promise<boolean> {
  const server = await reachRunning({ ...pinned(kind), lingerMs: 0 })
  await server?.stop()
  return server !== undefined
}

async function status(): Promise<number> {
  const rows: Row[] = []
  for (const kind of backendKinds) {
    const server = await reachRunning(pinned(kind))
    rows.push(
      server === undefined
        ? { kind, state: 'down' }
        : { kind, state: 'up', url: server.url, version: server.version, pid: server.pid },
    )
  }
  print(rows)
  return 0
}

async function doctor(): Promise<number> {
  const rows: Row[] = []
  for (const kind of backendKinds) {
    try {
      if (urlInEnvironment(kind)) {
        rows.push({ kind, state: 'available', from: definitions[kind].variable })
        continue
      }
      const { origin, version, passedOver, isToBeFetched } = await findServer(kind, {}, false)
      const notes = [
        ...(isToBeFetched ? ['not downloaded yet'] : []),
        ...(passedOver === undefined ? [] : [passedOver]),
      ]
      rows.push({
        kind,
        state: 'available',
        from: origin,
        version,
        ...(notes.length === 0 ? {} : { note: notes.join('; ') }),
      })
    } catch (error) {
      rows.push({ kind, state: 'missing', problem: error instanceof Error ? error.message : String(error) })
    }
  }
  print(rows)
  return 0
}

/** It goes before anything that could be started here. Throws when it is none. */
function urlInEnvironment(kind: BackendKind): boolean {
  const { variable } = definitions[kind]
  const url = process.env[variable] ?? ''
  // Of several hosts it is none to the parser.
  if (url !== '' && !/^[a-z][a-z0-9+-]*:\/\/[^/]/.test(url))
    throw new Error(`${variable} is no URL: correct or unset it`)
  return url !== ''
}

interface Row {
  readonly kind: BackendKind
  readonly state?: string
  readonly url?: string
  readonly version?: string
  readonly from?: string
  readonly pid?: number | undefined
  readonly seconds?: number
  readonly problem?: string
  readonly note?: string
}

function print(rows: readonly Row[]): void {
  if (json) {
    process.stdout.write(`${JSON.stringify(rows)}\n`)
    return
  }
  for (const { kind, ...facts } of rows) process.stdout.write(`${kind.padEnd(11)}${Object.values(facts).join('  ')}\n`)
}

function isKind(name: string): name is BackendKind {
  return backendKinds.some((kind) => kind === name)
}

function say(text: string): number {
  process.stdout.write(text)
  return 0
}

function complain(sentence: string): number {
  process.stderr.write(`backends: ${sentence}\n`)
  return 2
}
