import { basename, dirname } from 'node:path'
import type { FileSystem, WritableFile } from './file-system.ts'

interface Inode {
  /** What a crash leaves for certain. */
  durable: Uint8Array
  visible: Uint8Array
  /** Every state since the last sync; a crash may leave any of them, or a torn one. */
  unsynced: Uint8Array[]
  /** An fsync failed: the pages are gone from the kernel's list of dirty ones, later syncs succeed without effect. */
  lost: boolean
}

type Entry = Inode | Folder
interface Folder {
  readonly durable: Map<string, Entry>
  readonly visible: Map<string, Entry>
  /** Changes of names that no sync has covered. Each may or may not survive a crash. */
  readonly unsynced: Change[]
  /** Those whose sync failed: they may survive a crash, but no later sync makes sure of them. */
  readonly lost: Change[]
}
type Change = (entries: Map<string, Entry>) => void

const isFolder = (entry: Entry): entry is Folder => entry.visible instanceof Map
const emptyFolder = (): Folder => ({ durable: new Map(), visible: new Map(), unsynced: [], lost: [] })
const failure = (code: string): Error => Object.assign(new Error(`${code}: injected`), { code })

/** What happens at one step of the file system, instead of what should. */
export type Fault = 'crash-before' | 'crash-after' | 'ENOSPC' | 'EIO'

export class Crash extends Error {
  override readonly name = 'Crash'
}

/**
 * A file system in memory that is as bad as real ones may be: what was not synced may be there after a crash, or not,
 * or in part; a failed fsync marks the data as clean (LWN 752063, "fsyncgate"); a full disk takes half of a write.
 */
export class FaultyFileSystem implements FileSystem {
  readonly #root: Folder
  readonly #identities = new Map<Inode, number>()
  #crashed = false
  /** Calls so far, by name, for the test that goes through all of them. */
  readonly steps: string[] = []
  /** Asked before every call; `index` counts from 0. */
  fault: (index: number, step: string) => Fault | undefined = () => undefined

  constructor(root: Folder = emptyFolder()) {
    this.#root = root
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    return this.#step('read', () => {
      const entry = this.#folder(path).visible.get(basename(path))
      return entry === undefined || isFolder(entry) ? undefined : entry.visible
    })
  }

  async create(path: string): Promise<WritableFile> {
    const empty = new Uint8Array()
    const inode: Inode = { durable: empty, visible: empty, unsynced: [], lost: false }
    await this.#step('create', () => this.#change(path, (entries) => entries.set(basename(path), inode)))
    return this.#writable(inode)
  }

  async open(path: string): Promise<WritableFile> {
    const entry = this.#folder(path).visible.get(basename(path))
    if (entry === undefined) return this.create(path)
    if (isFolder(entry)) throw failure('EISDIR')
    await this.#step('open', () => {})
    return this.#writable(entry)
  }

  async list(folder: string): Promise<readonly string[]> {
    return this.#step('list', () => [...this.#folder(`${folder}/x`).visible.keys()])
  }

  async identity(path: string): Promise<string | undefined> {
    return this.#step('identity', () => {
      const entry = this.#folder(path).visible.get(basename(path))
      return entry === undefined || isFolder(entry) ? undefined : this.#identityOf(entry)
    })
  }

  #identityOf(inode: Inode): string {
    const number = this.#identities.get(inode) ?? this.#identities.size
    this.#identities.set(inode, number)
    return `${number}:${inode.visible.byteLength}`
  }

  #writable(inode: Inode): WritableFile {
    let end = 0
    const write = (chunks: readonly Uint8Array[], share: number): void => {
      const all = Buffer.concat(chunks)
      const part = all.subarray(0, Math.ceil(all.byteLength * share))
      inode.visible = Buffer.concat([inode.visible.subarray(0, end), part, inode.visible.subarray(end + part.length)])
      inode.unsynced.push(inode.visible)
    }
    return {
      write: async (chunks) => {
        await this.#step(
          'write',
          () => write(chunks, 1),
          () => write(chunks, 0.5),
        )
        end += chunks.reduce((sum, { byteLength }) => sum + byteLength, 0)
      },
      truncate: (lengthBytes) =>
        this.#step('truncate', () => {
          inode.visible = inode.visible.subarray(0, lengthBytes)
          inode.unsynced.push(inode.visible)
          end = lengthBytes
        }),
      sync: () => this.#sync(inode),
      syncData: () => this.#sync(inode),
      close: () => this.#step('close', () => {}),
    }
  }

  async rename(from: string, to: string): Promise<void> {
    return this.#step('rename', () => {
      const inode = this.#folder(from).visible.get(basename(from))
      if (inode === undefined) throw failure('ENOENT')
      this.#change(to, (entries) => {
        entries.delete(basename(from))
        entries.set(basename(to), inode)
      })
    })
  }

  async remove(path: string): Promise<void> {
    return this.#step('remove', () => this.#change(path, (entries) => entries.delete(basename(path))))
  }

  async createFolder(path: string): Promise<boolean> {
    return this.#step('create folder', () => {
      if (path === '/' || this.#folder(path).visible.has(basename(path))) return false
      const folder = emptyFolder()
      this.#change(path, (entries) => entries.set(basename(path), folder))
      return true
    })
  }

  async syncFile(path: string): Promise<void> {
    const entry = this.#folder(path).visible.get(basename(path))
    if (entry === undefined || isFolder(entry)) throw failure('ENOENT')
    return this.#sync(entry)
  }

  async syncFolder(path: string): Promise<void> {
    const folder = this.#folder(`${path}/x`)
    return this.#step(
      'sync folder',
      () => {
        folder.lost.length = 0
        for (const change of folder.unsynced.splice(0)) change(folder.durable)
      },
      () => void folder.lost.push(...folder.unsynced.splice(0)),
    )
  }

  /** Every file system that a crash now may leave. */
  *afterCrash(): Generator<FaultyFileSystem> {
    for (const root of survivors(this.#root)) yield new FaultyFileSystem(root as Folder)
  }

  /** The process was killed, the kernel was not: all that was visible still is, but no more durable than before. */
  afterKill(): void {
    this.#crashed = false
    this.fault = () => undefined
  }

  get crashed(): boolean {
    return this.#crashed
  }

  /** What is there for readers, for assertions. */
  has(path: string): boolean {
    return this.#folder(path).visible.has(basename(path))
  }

  #sync(inode: Inode): Promise<void> {
    return this.#step(
      'sync file',
      () => {
        if (inode.lost) return
        inode.durable = inode.visible
        inode.unsynced = []
      },
      () => void (inode.lost = true),
    )
  }

  #change(path: string, change: Change): void {
    const folder = this.#folder(path)
    change(folder.visible)
    folder.unsynced.push(change)
  }

  #folder(path: string): Folder {
    let folder = this.#root
    for (const name of dirname(path).split('/').filter(Boolean)) {
      const entry = folder.visible.get(name)
      if (entry === undefined || !isFolder(entry)) throw failure('ENOENT')
      folder = entry
    }
    return folder
  }

  async #step<T>(name: string, act: () => T, half: () => void = () => {}): Promise<T> {
    if (this.#crashed) throw new Crash()
    const fault = this.fault(this.steps.length, name)
    this.steps.push(name)
    if (fault === 'crash-before') {
      this.#crashed = true
      throw new Crash()
    }
    if (fault === 'ENOSPC' || fault === 'EIO') {
      half()
      throw failure(fault)
    }
    const result = act()
    if (fault === 'crash-after') {
      this.#crashed = true
      throw new Crash()
    }
    return result
  }
}

function* survivors(entry: Entry): Generator<Entry> {
  if (!isFolder(entry)) {
    const clean = entry.unsynced.length === 0 && !entry.lost
    const contents = clean ? [entry.durable] : [entry.durable, ...entry.unsynced, ...torn(entry)]
    for (const content of contents) yield { durable: content, visible: content, unsynced: [], lost: false }
    return
  }
  const changes = [...entry.lost, ...entry.unsynced]
  for (let chosen = 0; chosen < 1 << changes.length; chosen++) {
    const entries = new Map(entry.durable)
    for (const [index, change] of changes.entries()) if ((chosen >> index) & 1) change(entries)
    for (const combined of combinations([...entries])) {
      yield { durable: new Map(combined), visible: new Map(combined), unsynced: [], lost: [] }
    }
  }
}

/** What was synced stays; of what came behind it, half, or all of it with zeros where the first sector never came. */
function torn({ durable, visible }: Inode): Uint8Array[] {
  if (visible.byteLength <= durable.byteLength) return []
  const half = visible.subarray(0, (durable.byteLength + visible.byteLength) >> 1)
  const holed = Buffer.from(visible)
  const sectorEnd = (Math.floor(durable.byteLength / 512) + 1) * 512
  return [half, holed.fill(0, durable.byteLength, Math.min(holed.byteLength, sectorEnd))]
}

function* combinations(entries: readonly (readonly [string, Entry])[]): Generator<(readonly [string, Entry])[]> {
  const [first, ...others] = entries
  if (first === undefined) {
    yield []
    return
  }
  for (const survivor of survivors(first[1])) {
    for (const rest of combinations(others)) yield [[first[0], survivor], ...rest]
  }
}
