import { createHash } from 'node:crypto'
import { mkdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BackendKind } from './backend.ts'

/**
 * Takes a folder that outlives its servers: two of them on the same files would destroy them, and one of another kind or
 * with another password would never answer. Rejects with one sentence; `release` lets the next one have it.
 */
export async function takeDataFolder(kind: BackendKind, dataDir: string, password?: string): Promise<() => void> {
  await mkdir(dataDir, { recursive: true })
  const path = await realpath(dataDir)
  const lock = await listen(addressOf(path)).catch((cause: unknown) => {
    throw new Error(`the data folder ${dataDir} has a server already: stop that one, or give another folder`, { cause })
  })
  // It holds nothing but the name.
  lock.unref()
  try {
    await checkOwner(path, kind, password)
  } catch (error) {
    lock.close()
    throw error
  }
  return () => void lock.close()
}

async function checkOwner(path: string, kind: BackendKind, password: string | undefined): Promise<void> {
  const file = join(path, 'ballast-backend')
  const known = await readFile(file, 'utf8').catch(() => undefined)
  const digest = createHash('sha256')
    .update(password ?? '')
    .digest('hex')
  if (known === undefined) return writeFile(file, `${kind} ${digest}\n`, { mode: 0o600 })
  const [ownKind, ownDigest] = known.trim().split(' ')
  if (ownKind !== kind) throw new Error(`the data folder ${path} is of ${ownKind}, not of ${kind}: give another folder`)
  if (ownDigest !== digest) {
    throw new Error(`the data folder ${path} was made with another password (or none): give that, or another folder`)
  }
}

/** On Linux a name that the kernel frees with the process; elsewhere a socket's file. */
function addressOf(path: string): string {
  const id = createHash('sha256').update(path).digest('hex').slice(0, 24)
  return process.platform === 'linux' ? `\0ballast-data-${id}` : join(tmpdir(), `ballast-data-${id}.sock`)
}

async function listen(address: string): Promise<Server> {
  try {
    return await tryToListen(address)
  } catch (error) {
    if (process.platform === 'linux' || (await answers(address))) throw error
    // Left behind by a process that was killed.
    await rm(address, { force: true })
    return tryToListen(address)
  }
}

function tryToListen(address: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', reject).listen(address, () => resolve(server))
  })
}

function answers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
