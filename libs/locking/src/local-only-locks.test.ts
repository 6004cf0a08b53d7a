import { tmpdir } from 'node:os'
import { realpathSync } from 'node:fs'
import { expect, test } from 'vitest'
import { localOnlyReason, parseMountInfo, refuseLocalOnlyLocks, type MountInspector } from './local-only-locks.ts'

const folder = realpathSync(tmpdir())
const mounted = (magic: number, line: string): MountInspector => ({
  magicOf: () => Promise.resolve(magic),
  mounts: () =>
    Promise.resolve(parseMountInfo(`22 1 8:1 / / rw - ext4 /dev/sda1 rw\n36 22 0:33 / ${folder} ${line}\n`)),
})

test('this machine is looked at for real: a local disk passes', async () => {
  await expect(refuseLocalOnlyLocks(folder)).resolves.toBeUndefined()
})

test('NFS whose locks stay local is refused, with the folder and the option', async () => {
  const nfs = mounted(0x69_69, 'rw - nfs4 server:/ rw,vers=4.1,local_lock=all')
  await expect(refuseLocalOnlyLocks(folder, nfs)).rejects.toThrow(`locks in ${folder} would not be seen by other`)
  await expect(refuseLocalOnlyLocks(folder, nfs)).rejects.toThrow('local_lock=all')
})

test('NFS with its own locks is accepted', async () => {
  const nfs = mounted(0x69_69, 'rw - nfs4 server:/ rw,vers=4.1,local_lock=none')
  await expect(refuseLocalOnlyLocks(folder, nfs)).resolves.toBeUndefined()
})

test('CIFS magic numbers are recognised, whether the platform reports them signed or not', async () => {
  const cifs = 'rw - cifs //server/share rw,nobrl'
  await expect(refuseLocalOnlyLocks(folder, mounted(0xff_53_4d_42, cifs))).rejects.toThrow('nobrl')
  await expect(refuseLocalOnlyLocks(folder, mounted(0xff_53_4d_42 | 0, cifs))).rejects.toThrow('nobrl')
})

test('object stores mounted by FUSE are refused; FUSE as such is not', () => {
  expect(localOnlyReason({ path: '/', type: 'fuse.s3fs', options: [] })).toBe('it is fuse.s3fs')
  expect(localOnlyReason({ path: '/', type: 'fuse.glusterfs', options: [] })).toBeUndefined()
})

test('the deepest mount counts, and escaped blanks in its path are understood', () => {
  expect(
    parseMountInfo(String.raw`36 22 0:33 / /mnt/a\040b rw,relatime shared:1 - lustre x@tcp:/y rw,localflock`),
  ).toEqual([{ path: '/mnt/a b', type: 'lustre', options: ['rw', 'relatime', 'rw', 'localflock'] }])
})
