import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { installWithApt } from '@ballast/backends/debian'
import { findProgram } from '@ballast/backends/programs'
import { freePortBase } from '../../../platform/ports.ts'
import { probe } from '../../../platform/probe.ts'

/** What ours is compared with is not on this machine. */
export class PeerMissingError extends Error {
  override readonly name = 'PeerMissingError'
}

/** The peer's figure; where there can be none, stderr says why, and ours is measured alone. */
export async function peerOrNone<Peer>(name: string, open: () => Promise<Peer>): Promise<Peer | undefined> {
  try {
    return await open()
  } catch (error) {
    if (!(error instanceof PeerMissingError)) throw error
    process.stderr.write(`${name}: NOT COMPARED, ${error.message}\n`)
    return undefined
  }
}

export async function freePort(): Promise<number> {
  return (await freePortBase([1])) + 1
}

/** A program of Debian: on PATH, or installed where BACKENDS_INSTALL=1 asks for that. */
export async function debianProgram(packageName: string, program: string): Promise<string> {
  const found =
    findProgram(program, ['/usr/sbin']) ?? (await installWithApt(packageName, program).catch(() => undefined))
  if (found !== undefined) return found
  throw new PeerMissingError(`${program} is not on PATH: install ${packageName}, or set BACKENDS_INSTALL=1 as root`)
}

/** Starts a server and resolves when `url` answers anything, over TLS with `ca`; it is ended with the stack. */
export async function startPeer(
  stack: AsyncDisposableStack,
  command: string,
  args: readonly string[],
  url: string,
  ca?: string,
): Promise<void> {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], detached: true })
  let said = ''
  child.stderr.on('data', (piece: Buffer) => (said = (said + piece.toString()).slice(-2_000)))
  let failed: Error | undefined
  child.once('error', (error) => (failed = error))
  const exit = once(child, 'exit').catch(() => {})
  void exit.then(() => (failed ??= new Error(`${command} ended: ${said}`)))
  stack.defer(async () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGTERM')
    await exit
  })
  for (;;) {
    if (failed !== undefined) throw failed
    const { status } = await probe(url, { ca })
    if (status !== 0 && status !== 503) return
    await delay(50)
  }
}
