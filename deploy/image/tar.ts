import { readdir, readFile, readlink, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** What goes into a layer. Everything belongs to root, has no time and a mode that does not depend on who checked it out. */
export type Entry =
  | { readonly kind: 'file'; readonly path: string; readonly content: Uint8Array; readonly isExecutable?: boolean }
  | { readonly kind: 'folder'; readonly path: string; readonly owner?: number; readonly mode?: number }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }

const block = 512

/** A POSIX tar (ustar) whose bytes depend on the entries only: sorted by path, parents first, no times, no names of users. */
export function tar(entries: readonly Entry[]): Uint8Array {
  const sorted = withParents(entries).toSorted((a, b) => (a.path < b.path ? -1 : 1))
  const parts = sorted.flatMap((entry) => {
    const content = entry.kind === 'file' ? entry.content : new Uint8Array()
    return [header(entry, content.length), content, new Uint8Array(-content.length & (block - 1))]
  })
  return Buffer.concat([...parts, new Uint8Array(2 * block)])
}

function withParents(entries: readonly Entry[]): Entry[] {
  const byPath = new Map(entries.map((entry) => [entry.path, entry]))
  for (const { path } of entries) {
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
      const parent = path.slice(0, at)
      if (!byPath.has(parent)) byPath.set(parent, { kind: 'folder', path: parent })
    }
  }
  return [...byPath.values()]
}

function header(entry: Entry, sizeBytes: number): Uint8Array {
  const buffer = Buffer.alloc(block)
  const { prefix, name } = split(entry.kind === 'folder' ? `${entry.path}/` : entry.path)
  const owner = entry.kind === 'folder' ? (entry.owner ?? 0) : 0
  const octal = (value: number, at: number, length: number): number =>
    buffer.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at)
  buffer.write(name, 0)
  octal(modeOf(entry), 100, 8)
  octal(owner, 108, 8)
  octal(owner, 116, 8)
  octal(sizeBytes, 124, 12)
  octal(0, 136, 12)
  buffer.write({ file: '0', link: '2', folder: '5' }[entry.kind], 156)
  if (entry.kind === 'link') buffer.write(entry.target, 157, 100)
  buffer.write('ustar\x0000', 257)
  buffer.write(prefix, 345)
  buffer.fill(' ', 148, 156)
  buffer.write(
    `${buffer
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
  )
  return buffer
}

function modeOf(entry: Entry): number {
  if (entry.kind === 'folder') return entry.mode ?? 0o755
  return entry.kind === 'link' ? 0o777 : entry.isExecutable ? 0o755 : 0o644
}

/** The format has 100 bytes for a name and 155 for the folders before it. */
function split(path: string): { prefix: string; name: string } {
  if (Buffer.byteLength(path) <= 100) return { prefix: '', name: path }
  for (let at = path.indexOf('/'); at >= 0 && at <= 155; at = path.indexOf('/', at + 1)) {
    if (Buffer.byteLength(path.slice(at + 1)) <= 100) return { prefix: path.slice(0, at), name: path.slice(at + 1) }
  }
  throw new Error(`${path} is too long for a tar`)
}

/** What `take` wants of a folder, by path relative to it, as it shall be found below `target` in the image. */
export async function entriesOf(folder: string, target: string, take: (relative: string) => boolean): Promise<Entry[]> {
  const found = await readdir(folder, { withFileTypes: true, recursive: true })
  const entries = found.map(async (item): Promise<Entry[]> => {
    const source = join(item.parentPath, item.name)
    const relative = source.slice(folder.length + 1)
    const path = `${target}/${relative}`
    if (!take(relative)) return []
    if (item.isSymbolicLink()) return [{ kind: 'link', path, target: await readlink(source) }]
    if (item.isDirectory()) return [{ kind: 'folder', path }]
    const isExecutable = ((await stat(source)).mode & 0o100) !== 0
    return [{ kind: 'file', path, content: await readFile(source), isExecutable }]
  })
  return (await Promise.all(entries)).flat()
}
