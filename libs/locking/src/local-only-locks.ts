import { readFile, realpath, statfs } from 'node:fs/promises'

/** What mountinfo says of one mount. */
export interface Mount {
  readonly path: string
  /** "ext4", "nfs4", "fuse.sshfs" */
  readonly type: string
  readonly options: readonly string[]
}

/** How the file system is looked at; replaced in tests, because such mounts cannot be had everywhere. */
export interface MountInspector {
  /** The magic number of statfs(2). */
  magicOf(folder: string): Promise<number>
  mounts(): Promise<readonly Mount[]>
}

/** statfs(2) magic numbers of file systems that other machines may have mounted too. All others are local: no further look. */
const networkMagics = new Set([
  0x69_69, // NFS
  0x51_7b, // SMB
  0xff_53_4d_42, // CIFS
  0xfe_53_4d_42, // SMB2
  0x65_73_55_46, // FUSE
  0x0b_d0_0b_d0, // Lustre
])

/** FUSE servers that leave locks to the local kernel, so that two machines can both hold one. */
const lockingLocally = new Set(['sshfs', 's3fs', 'gcsfuse', 'goofys', 'mountpoint-s3', 'rclone', 'blobfuse2', 'davfs'])

const optionsThatKeepLocksLocal: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^nfs/, ['nolock', 'local_lock=all', 'local_lock=posix']],
  [/^(cifs|smb3)$/, ['nobrl', 'nolock', 'forcemand']],
  [/^lustre$/, ['localflock']],
]

/** The option or file system that keeps locks on this machine, or `undefined` when none is known to. */
export function localOnlyReason({ type, options }: Mount): string | undefined {
  if (type.startsWith('fuse.') && lockingLocally.has(type.slice('fuse.'.length))) return `it is ${type}`
  for (const [pattern, names] of optionsThatKeepLocksLocal) {
    if (!pattern.test(type)) continue
    const found = names.find((name) => options.includes(name))
    if (found !== undefined) return `it is ${type} mounted with ${found}`
  }
  return undefined
}

/** Lines of /proc/self/mountinfo, see proc_pid_mountinfo(5). */
export function parseMountInfo(text: string): Mount[] {
  const mounts: Mount[] = []
  for (const line of text.split('\n')) {
    const [mount, filesystem] = line.split(' - ')
    const [, , , , path, mountOptions] = (mount ?? '').split(' ')
    const [type, , superOptions] = (filesystem ?? '').split(' ')
    if (path === undefined || type === undefined) continue
    mounts.push({
      path: path.replaceAll(/\\(\d{3})/g, (_, octal: string) => String.fromCodePoint(Number.parseInt(octal, 8))),
      type,
      options: `${mountOptions ?? ''},${superOptions ?? ''}`.split(','),
    })
  }
  return mounts
}

const linux: MountInspector = {
  magicOf: async (folder) => (await statfs(folder)).type,
  mounts: async () => parseMountInfo(await readFile('/proc/self/mountinfo', 'utf8').catch(() => '')),
}

/** Rejects with one sentence when locks in `folder` are known to exclude only processes of this machine. */
export async function refuseLocalOnlyLocks(folder: string, inspector: MountInspector = linux): Promise<void> {
  // A negative number is the same magic, read as a signed 32-bit integer.
  if (!networkMagics.has((await inspector.magicOf(folder)) >>> 0)) return
  const path = await realpath(folder)
  let mount: Mount | undefined
  for (const candidate of await inspector.mounts()) {
    const contains = candidate.path === '/' || path === candidate.path || path.startsWith(`${candidate.path}/`)
    if (contains && candidate.path.length >= (mount?.path.length ?? 0)) mount = candidate
  }
  const reason = mount && localOnlyReason(mount)
  if (reason === undefined) return
  throw new Error(
    `locks in ${folder} would not be seen by other machines (${reason}): use a local disk, or NFS with its own locks`,
  )
}
