import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { BackendUnavailableError, type BackendKind, type RunningBackend } from './backend.ts'
import { eachLine, guardAddress, type GuardAction, type GuardMessage, type GuardOrder } from './guard-protocol.ts'

const guardProgram = fileURLToPath(new URL('guard.ts', import.meta.url))

/** A guard that is not there yet is started; the connection is the caller's share in the server. */
export async function reachServer(order: GuardOrder): Promise<RunningBackend> {
  return attach(order, (await dial(order.name)) ?? (await startGuard(order)))
}

/** A server that is there already, or undefined. */
export async function reachRunning(order: GuardOrder): Promise<RunningBackend | undefined> {
  const socket = await dial(order.name)
  return socket && attach(order, socket)
}

function attach(order: GuardOrder, socket: Socket): Promise<RunningBackend> {
  return new Promise((resolve, reject) => {
    const pending = new Map<number, (message: { error?: string; pid?: number }) => void>()
    let server: RunningBackend | undefined
    eachLine(socket, (line) => {
      const message: GuardMessage = JSON.parse(line)
      if (message.type === 'server') resolve((server = handle(order, socket, message.server, pending)))
      else if (message.type === 'done') pending.get(message.id)?.(message)
      else reject(failure(order.kind, message))
    })
    socket.on('close', () => {
      if (server === undefined) reject(new Error(`the guard of ${order.kind} ended without an answer`))
      for (const settle of pending.values()) settle({ error: `the guard of ${order.kind} is gone` })
    })
  })
}

function dial(name: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(guardAddress(name))
    socket.once('connect', () => resolve(socket))
    socket.once('error', () => resolve(undefined))
  })
}

async function startGuard(order: GuardOrder): Promise<Socket> {
  // A session of its own: Ctrl-C in the user's terminal reaches the tests first, and the guard by their end.
  const child = spawn(process.execPath, [guardProgram, JSON.stringify(order)], { detached: true, stdio: 'ignore' })
  child.unref()
  for (let attempt = 0; attempt < 400; attempt++) {
    await delay(25)
    const socket = await dial(order.name)
    if (socket !== undefined) return socket
  }
  throw new Error(`the guard of ${order.kind} did not start`)
}

function handle(
  order: GuardOrder,
  socket: Socket,
  facts: Extract<GuardMessage, { type: 'server' }>['server'],
  pending: Map<number, (message: { error?: string; pid?: number }) => void>,
): RunningBackend {
  let nextId = 1
  let stopped: Promise<void> | undefined
  let { pid } = facts
  const request = (action: GuardAction): Promise<void> => {
    const id = nextId++
    if (socket.destroyed) return Promise.reject(new Error(`the guard of ${order.kind} is gone`))
    return new Promise((resolve, reject) => {
      pending.set(id, (message) => {
        pending.delete(id)
        if (message.pid !== undefined) ({ pid } = { pid: message.pid })
        if (message.error === undefined) resolve()
        else reject(new Error(message.error))
      })
      socket.write(`${JSON.stringify({ id, action })}\n`)
    })
  }
  // A shared server belongs to all its users: leaving it is the most that one of them may do.
  const leave = async (): Promise<void> => {
    if (order.lingerMs === 0 && !socket.destroyed) await request('stop')
    socket.destroy()
  }
  const stop = (): Promise<void> => (stopped ??= leave())
  return {
    kind: order.kind,
    url: facts.url,
    version: facts.version,
    origin: facts.origin,
    readyAfterMs: facts.readyAfterMs,
    ...(facts.ca === undefined ? {} : { ca: facts.ca }),
    ...(facts.caFile === undefined ? {} : { caFile: facts.caFile }),
    logFile: facts.logFile,
    get pid() {
      return pid
    },
    logs: () => readFile(facts.logFile, 'utf8'),
    restart: () => request('restart'),
    kill: () => request('kill'),
    pause: () => request('pause'),
    resume: () => request('resume'),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

function failure(kind: BackendKind, { message, unavailable }: Extract<GuardMessage, { type: 'failure' }>): Error {
  // The error puts its kind in front by itself.
  return unavailable ? new BackendUnavailableError(kind, message.replace(`${kind}: `, '')) : new Error(message)
}
