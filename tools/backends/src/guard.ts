import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '@ballast/testing'
import { BackendUnavailableError, type BackendOptions } from './backend.ts'
import { takeDataFolder } from './data-folder.ts'
import { findServer, type FoundServer, type PreparedServer } from './find-server.ts'
import {
  eachLine,
  guardAddress,
  type GuardAction,
  type GuardMessage,
  type GuardOrder,
  type GuardRequest,
} from './guard-protocol.ts'
import type { Server } from './server.ts'
import { refuseTakenPort } from './taken-port.ts'

/**
 * The parent of one server. Users hold a connection to it; the kernel closes a connection with its process, however
 * that ended, so a server never outlives its users by more than `lingerMs`, and no pid file has to be believed.
 *
 * It runs until the server was stopped on request, or nobody has been connected for `lingerMs`.
 */
const order: GuardOrder = JSON.parse(process.argv[2] ?? '')
const lingerMs = order.lingerMs ?? Infinity
const users = new Set<Socket>()
let server: Server | undefined
let folder: string | undefined
let releaseFolder = (): void => {}
/** One after the other: a restart beside a restart would start two. */
let acting: Promise<unknown> = Promise.resolve()
let announcement: GuardMessage | undefined
let lonely: NodeJS.Timeout | undefined

const listener = createServer(welcome)
// Another guard of this name is there already: the clients of both will find that one.
listener.once('error', () => process.exit(0))
listener.listen(guardAddress(order.name), () => void launch())
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void shutDown())
waitForUsers(30_000)

async function launch(): Promise<void> {
  const started = performance.now()
  try {
    const { kind, options } = order
    const found = await findServer(kind, options, true)
    const { dataDir, password } = options
    if (dataDir !== undefined) releaseFolder = await takeDataFolder(kind, dataDir, password)
    folder = dataDir ?? (await mkdtemp(join(tmpdir(), `ballast-${kind}-`)))
    const prepared = await startFound(found, options, folder)
    const caFile = join(folder, 'ca.pem')
    if (prepared.ca !== undefined) await writeFile(caFile, prepared.ca)
    announcement = {
      type: 'server',
      server: {
        url: prepared.url,
        version: found.version,
        origin: found.origin,
        readyAfterMs: Math.round(performance.now() - started),
        ...(prepared.ca === undefined ? {} : { ca: prepared.ca, caFile }),
        logFile: prepared.server.logFile,
        ...(prepared.server.pid === undefined ? {} : { pid: prepared.server.pid }),
        guardPid: process.pid,
      },
    }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    announcement = { type: 'failure', message, unavailable: error instanceof BackendUnavailableError }
  }
  for (const user of users) send(user, announcement)
  // Whoever ordered the server may still be dialling; he is told why there is none.
  if (announcement.type === 'failure') waitForUsers(users.size > 0 ? 0 : 5_000)
}

/** Between choosing a free port and binding it another program may take it: then it is another one. */
async function startFound(found: FoundServer, options: BackendOptions, home: string): Promise<PreparedServer> {
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort())
    try {
      await refuseTakenPort(port, options.node?.address ?? '127.0.0.1')
      const prepared = await found.prepare({ options, folder: home, port })
      server = prepared.server
      await prepared.server.start()
      return prepared
    } catch (error) {
      const isTaken =
        error instanceof Error && /in use|BindException|unable to bind|could not create any TCP/i.test(error.message)
      if (!isTaken || options.port !== undefined || attempt === 3) throw error
    }
  }
}

function welcome(user: Socket): void {
  users.add(user)
  clearTimeout(lonely)
  if (announcement !== undefined) send(user, announcement)
  eachLine(user, (line) => void obey(user, JSON.parse(line)))
  user.on('close', () => {
    users.delete(user)
    // Whoever gave up while it started wants it no more, also where it was to stay.
    const isGivenUp = announcement === undefined && lingerMs === Infinity
    if (users.size === 0) waitForUsers(announcement?.type === 'failure' || isGivenUp ? 0 : lingerMs)
  })
}

function waitForUsers(ms: number): void {
  clearTimeout(lonely)
  if (ms === Infinity) return
  lonely = setTimeout(() => void shutDown(), ms)
}

async function obey(user: Socket, { id, action }: GuardRequest): Promise<void> {
  try {
    // An end does not wait for a restart that may hang.
    await (action === 'stop' ? act(action) : (acting = acting.catch(() => {}).then(() => act(action))))
    send(user, { type: 'done', id, ...(server?.pid === undefined ? {} : { pid: server.pid }) })
  } catch (error) {
    send(user, { type: 'done', id, error: error instanceof Error ? error.message : String(error) })
  }
  if (action === 'stop') user.end(() => process.exit(0))
}

async function act(action: GuardAction): Promise<void> {
  switch (action) {
    case 'restart':
      await server?.stop()
      await server?.start()
      return
    case 'kill':
      await server?.kill()
      return
    case 'pause':
      await server?.pause()
      return
    case 'resume':
      await server?.resume()
      return
    case 'stop':
      await cleanUp()
  }
}

async function cleanUp(): Promise<void> {
  await server?.remove()
  releaseFolder()
  if (folder !== undefined && order.options.dataDir === undefined) await rm(folder, { recursive: true, force: true })
}

async function shutDown(): Promise<void> {
  // A message that is under way still reaches its reader.
  listener.close()
  await cleanUp()
  await Promise.all([...users].map((user) => new Promise((done) => user.end(() => done(undefined)))))
  process.exit(0)
}

function send(user: Socket, message: GuardMessage): void {
  user.write(`${JSON.stringify(message)}\n`)
}
