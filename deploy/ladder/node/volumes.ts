import { execFile } from 'node:child_process'
import { appendFile, chmod, mkdir } from 'node:fs/promises'
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

/** Where the database lies, made here, because making one needs a shell, which its image has not. */
export async function databaseVolume(
  folder: string,
): Promise<{ volume: object; secret: (namespace: string) => object }> {
  const path = join(folder, 'database')
  await chmod(folder, 0o755)
  const postgres = await startEmbeddedPostgres({ dataDir: path })
  const { password } = new URL(postgres.url)
  await postgres.stop()
  // The image's user owns it; other pods may come, with the password.
  await appendFile(join(path, 'cluster/pg_hba.conf'), 'host all all 0.0.0.0/0 scram-sha-256\n')
  await promisify(execFile)('chown', ['-R', '999:999', path])
  const url = `postgres://postgres:${password}@postgres:5432/ballast`
  return {
    volume: volume('database', path, { claimRef: { namespace: 'ballast', name: 'data-postgres-0' } }),
    secret: (namespace) => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'scaler', namespace },
      stringData: { store: url },
    }),
  }
}
