import { randomUUID } from 'node:crypto'
import { readlink, realpath } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { FileLock, LockTimeoutError, nameHolder, type FileLockObserver, type HeldLock } from '@ballast/locking'
import { claimFile, epochPath } from './file/epoch.ts'
import { ExclusiveEngine } from './file/exclusive-engine.ts'
import { FileStore } from './file/file-store.ts'
import { hasCode, realFileSystem } from './file/file-system.ts'
import type { FileStoreObserver, FileStoreOptions } from './file/options.ts'
import { describe, ensureFolder } from './file/replace-file.ts'
import { SharedEngine } from './file/shared-engine.ts'
import type { CounterStore } from './port.ts'
import { TroubleError } from './trouble.ts'

/** `counter.json` is guarded by `counter.lock` beside it. */
export const lockPath = (path: string): string => `${path.replace(/\.json$/, '')}.lock`

/**
 * Counters in a JSON file, and a log beside it once they are many, that one process owns: it takes the lock at start and
 * holds it for life. Rejects with one sentence that says what is wrong and what to do. All who wait share a commit:
 * two fsyncs for the file, one fdatasync for the log.
 */
export async function fileCounterStore(options: FileStoreOptions): Promise<CounterStore> {
  const { setting = '--store', observer } = options
  const path = await theOnePath(resolve(options.path), setting)
  const lock = await takeLock(lockOf(path, observer), path, options.lockTimeoutMs ?? 1_000, setting)
  try {
    // Whoever shared the file before, and is paused, must not replace it behind our back.
    if ((await realFileSystem.identity(epochPath(path))) !== undefined) {
      await claimFile(realFileSystem, path, newClaimant())
    }
    const engine = await ExclusiveEngine.open(realFileSystem, { ...options, path }, () => lock.release())
    return new FileStore(engine, options.maxQueued)
  } catch (error) {
    await lock.release()
    throw unusable(error, setting)
  }
}

/**
 * The same file for several processes, which take the lock for each batch and fence each replacement of the file. The
 * whole file is written by every commit, and read by a process whenever another one has written it.
 */
export async function sharedFileCounterStore(options: FileStoreOptions): Promise<CounterStore> {
  const { setting = '--store', observer, lockTimeoutMs = turnTimeoutMs } = options
  const path = await theOnePath(resolve(options.path), setting)
  const lock = lockOf(path, observer)
  await (await takeLock(lock, path, lockTimeoutMs, setting)).release()
  const takeTurn = async (): Promise<() => Promise<void>> => {
    const held = await lock.acquire({ timeoutMs: turnTimeoutMs })
    return () => held.release()
  }
  try {
    const engine = await SharedEngine.open(realFileSystem, { ...options, path, claimant: newClaimant() }, takeTurn)
    return new FileStore(engine, options.maxQueued)
  } catch (error) {
    throw unusable(error, setting)
  }
}

/** How long a batch waits for the lock before it is refused as not applied. */
const turnTimeoutMs = 10_000

const newClaimant = (): string => `${process.pid}-${randomUUID().slice(0, 8)}`

function unusable(error: unknown, setting: string): Error {
  // What is damaged says so itself.
  const left = error instanceof TroubleError ? '' : ': it was left as it is'
  const message = `${describe(error)}${left}; repair it, move it away, or choose another file with ${setting}`
  return new Error(message, { cause: error })
}

/** Lock and rename work beside the file, so a link and what it points to must not pass for two files. */
async function theOnePath(path: string, setting: string): Promise<string> {
  try {
    return await followLinks(path)
  } catch (error) {
    throw new Error(
      `the folder ${dirname(path)} cannot be used (${describe(error)}): choose another one with ${setting}`,
      {
        cause: error,
      },
    )
  }
}

/** Also where the file is not there yet; makes its folder. */
async function followLinks(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error
  }
  await ensureFolder(realFileSystem, dirname(path))
  const folder = await realpath(dirname(path))
  const target = await linkTarget(path)
  return target === undefined ? join(folder, basename(path)) : followLinks(resolve(folder, target))
}

async function linkTarget(path: string): Promise<string | undefined> {
  try {
    return await readlink(path)
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'EINVAL')) return undefined
    throw error
  }
}

function lockOf(path: string, { lockWaited, lockHeld }: FileStoreObserver = {}): FileLock {
  const observer: FileLockObserver = {
    onAcquired: ({ waitedMs }) => lockWaited?.(waitedMs),
    onGivenUp: ({ waitedMs }) => lockWaited?.(waitedMs),
    onReleased: ({ heldMs }) => lockHeld?.(heldMs),
  }
  return new FileLock(lockPath(path), { observer })
}

async function takeLock(lock: FileLock, path: string, timeoutMs: number, setting: string): Promise<HeldLock> {
  let held: HeldLock | undefined
  try {
    held = await unlessTaken(lock.acquire({ timeoutMs }))
  } catch (error) {
    throw new Error(
      `the folder ${dirname(path)} cannot be used (${describe(error)}): choose another one with ${setting}`,
      {
        cause: error,
      },
    )
  }
  if (held !== undefined) return held
  const holder = await nameHolder(lock.path)
  throw new Error(`${path} is in use by ${holder}: stop it, or choose another file with ${setting}`)
}

async function unlessTaken(acquired: Promise<HeldLock>): Promise<HeldLock | undefined> {
  try {
    return await acquired
  } catch (error) {
    if (error instanceof LockTimeoutError) return undefined
    throw error
  }
}
