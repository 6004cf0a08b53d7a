import { execFile } from 'node:child_process'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startEmbeddedPostgres } from '@ballast/backends/embedded-postgres'

const volume = (name: string, path: string, more: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name },
  spec: {
    capacity: { storage: '60Gi' },
    accessModes: ['ReadWriteOncePod'],
    hostPath: { path },
    persistentVolumeReclaimPolicy: 'Retain',
    ...more,
  },
})

/** Volumes of this machine: for claims without a class, and for those that want a disk of EBS. */
export async function volumes(folder: string): Promise<object[]> {
  const make = async (name: string, more?: object): Promise<object> => {
    const path = join(folder, name)
    await mkdir(path)
    await chmod(path, 0o777)
    return volume(name, path, more)
  }
  const disks = ['disk-1', 'disk-2'].map((name) => make(name, { storageClassName: 'ballast-ebs' }))
  return Promise.all([...['volume-1', 'volume-2'].map((name) => make(name)), ...disks])
}

export interface DatabaseRequest {
  readonly folder: string
  /** Of the folder in there, and of the volume. */
  readonly name: string
  readonly namespace: string
  /** Asked for more while the server still runs here, by the URL of its administrator. */
  readonly prepare?: (url: string) => Promise<void>
}

/** The volume of the pod `postgres-0`, with a cluster that is made here, because making one needs a shell, which its image has not. */
export async function databaseVolume(request: DatabaseRequest): Promise<{ volume: object; password: string }> {
  const { folder, name, namespace, prepare } = request
  const path = join(folder, name)
  await chmod(folder, 0o755)
  const postgres = await startEmbeddedPostgres({ dataDir: path })
  try {
    await prepare?.(postgres.url)
  } finally {
    await postgres.stop()
  }
  // Other pods may come, with the password; who is in the pod needs none, as in the image that this one stands for.
  const access = join(path, 'cluster/pg_hba.conf')
  const rules = await readFile(access, 'utf8')
  await writeFile(access, `local all all trust\n${rules}\nhost all all 0.0.0.0/0 scram-sha-256\n`)
  // The image's user owns it.
  await promisify(execFile)('chown', ['-R', '999:999', path])
  const claimRef = { namespace, name: 'data-postgres-0' }
  return { volume: volume(name, path, { claimRef }), password: new URL(postgres.url).password }
}

/** A volume of this machine for one claim, and no other. */
export async function volumeFor(folder: string, namespace: string, claim: string): Promise<object> {
  const name = `${namespace}-${claim}`
  const path = join(folder, name)
  await mkdir(path)
  await chmod(path, 0o777)
  return volume(name, path, { claimRef: { namespace, name: claim } })
}
