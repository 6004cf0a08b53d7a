import type { FileSystem, WritableFile } from './file-system.ts'

/** A process that stands before a step that others could see, or be seen by. */
interface Waiting {
  readonly step: string
  readonly go: () => void
}

export interface Process {
  readonly name: string
  /** What it has seen so far: with its program, this is all its memory. */
  readonly seen: string[]
  waiting: Waiting | undefined
  done: boolean
}

/** Some processes of which one makes a step at a time, in an order that the test chooses. */
export class Interleaving {
  readonly processes: Process[] = []
  /** Who has the lock, as the lock sees it. */
  holder: Process | undefined
  /** How often a lock was taken from a process that did not give it back. */
  losses = 0

  add(name: string): Process {
    const process: Process = { name, seen: [], waiting: undefined, done: false }
    this.processes.push(process)
    return process
  }

  start(process: Process, program: () => Promise<void>): void {
    this.live = true
    void this.pause(process, 'start')
      .then(program)
      .finally(() => (process.done = true))
  }

  /** Until this is set, steps are made without asking. */
  live = false

  pause(process: Process, step: string): Promise<void> {
    if (!this.live) return Promise.resolve()
    return new Promise((resolve) => {
      process.waiting = { step, go: resolve }
    })
  }

  /** Lets one process make its step, and go on to its next. */
  async step(process: Process): Promise<void> {
    const { waiting } = process
    process.waiting = undefined
    waiting?.go()
    while (process.waiting === undefined && !process.done) await Promise.resolve()
  }

  /** Indexes of those that can make a step now; a held lock can be lost `maxLosses` times. */
  enabled(maxLosses: number): number[] {
    return this.processes.flatMap(({ waiting }, index) => {
      if (waiting === undefined) return []
      const blocked = waiting.step === 'lock' && this.holder !== undefined && this.losses >= maxLosses
      return blocked ? [] : [index]
    })
  }

  lockFor(process: Process): () => Promise<() => Promise<void>> {
    return async () => {
      await this.pause(process, 'lock')
      if (this.holder !== undefined) this.losses += 1
      this.holder = process
      return async () => {
        await this.pause(process, 'unlock')
        if (this.holder === process) this.holder = undefined
      }
    }
  }

  /**
   * The file system as one process has it. Steps that no other process can tell from their absence are not paused at:
   * writing and syncing a temporary file, which only its owner reads.
   */
  fileSystemFor(process: Process, fs: FileSystem): FileSystem {
    const shared = async <T>(step: string, act: () => Promise<T>, describe: (result: T) => string): Promise<T> => {
      await this.pause(process, step)
      try {
        const result = await act()
        process.seen.push(`${step}=${describe(result)}`)
        return result
      } catch (error) {
        process.seen.push(`${step}!${String(error)}`)
        throw error
      }
    }
    return {
      ...bind(fs),
      read: (path) => shared(`read ${path}`, () => fs.read(path), text),
      list: (path) => shared(`list ${path}`, () => fs.list(path), String),
      identity: (path) =>
        path.endsWith('.tmp') ? fs.identity(path) : shared(`identity ${path}`, () => fs.identity(path), String),
      create: (path) => shared(`create ${path}`, () => fs.create(path), nothing),
      remove: (path) => shared(`remove ${path}`, () => fs.remove(path), nothing),
      rename: (from, to) => shared(`rename ${from}`, () => fs.rename(from, to), nothing),
      open: async (path): Promise<WritableFile> => {
        const file = await shared(`open ${path}`, () => fs.open(path), nothing)
        return { ...file, write: (chunks) => shared(`write ${path}`, () => file.write(chunks), nothing) }
      },
    }
  }
}

const nothing = (): string => ''
const text = (bytes: Uint8Array | undefined): string => (bytes === undefined ? '-' : Buffer.from(bytes).toString())

const bind = (fs: FileSystem): FileSystem => ({
  read: (path) => fs.read(path),
  create: (path) => fs.create(path),
  open: (path) => fs.open(path),
  list: (path) => fs.list(path),
  identity: (path) => fs.identity(path),
  rename: (from, to) => fs.rename(from, to),
  remove: (path) => fs.remove(path),
  createFolder: (path) => fs.createFolder(path),
  syncFile: (path) => fs.syncFile(path),
  syncFolder: (path) => fs.syncFolder(path),
})
