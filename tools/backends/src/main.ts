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
  const kinds = names.filter(isKind)
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
  for (const kind of kinds) {
    try {
      const server = (await reachRunning(pinned(kind))) ?? (await start(kind))
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

/** What has to be downloaded is downloaded here, where the user sees how it goes, and not by the guard. */
async function start(kind: BackendKind): Promise<RunningBackend> {
  await findServer(kind, {}, true)
  return reachServer(pinned(kind))
}

async function down(kinds: readonly BackendKind[]): Promise<number> {
  const rows: Row[] = []
  for (const kind of kinds) {
    const server = await reachRunning({ ...pinned(kind), lingerMs: 0 })
    await server?.stop()
    if (server !== undefined) rows.push({ kind, state: 'ended' })
  }
  print(rows)
  return 0
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
    const { variable } = definitions[kind]
    const url = process.env[variable]
    if (url !== undefined && url !== '') {
      rows.push({ kind, state: 'available', from: variable })
      continue
    }
    try {
      const { origin, version, passedOver } = await findServer(kind, {}, false)
      rows.push({
        kind,
        state: 'available',
        from: origin,
        version,
        ...(passedOver === undefined ? {} : { note: passedOver }),
      })
    } catch (error) {
      rows.push({ kind, state: 'missing', problem: error instanceof Error ? error.message : String(error) })
    }
  }
  print(rows)
  return 0
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
