import { chown, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { BackendUnavailableError, type BackendDefinition, type Durability } from './backend.ts'
import { makeCertificate } from './certificate.ts'
import { postgresBinaries } from './postgres/binaries.ts'
import { clusterUrl, prepareCluster, serverArguments, type Cluster } from './postgres/cluster.ts'
import { run } from './run.ts'
import { prepareStandby } from './topology/postgres-standby.ts'
import { untilReady } from './until-ready.ts'

const durabilities: Record<Durability, string[]> = {
  none: ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'],
  process: ['fsync=off', 'full_page_writes=off'],
  disk: [],
}

/** PostgreSQL 18 from npm's real binaries, on loopback, with a password. */
export const postgres: BackendDefinition = {
  kind: 'postgres',
  variable: 'DATABASE_URL',
  async find() {
    const version = await installedVersion()
    return {
      origin: 'registry',
      version,
      async launch({ options: { durability = 'disk', tls = false, password, replicaOf }, folder, port }) {
        const following = replicaOf === undefined ? undefined : prepareStandby(folder, replicaOf)
        const cluster = await (following ?? prepareCluster(folder, password))
        const encrypted = tls ? await encrypt(cluster) : undefined
        const { prefix, options } = cluster.account
        const args = serverArguments(cluster, port, [...durabilities[durability], ...(encrypted?.settings ?? [])])
        return {
          prefix,
          command: cluster.postgres,
          args,
          // Messages are matched in places, so they must be English.
          env: { LC_ALL: 'C', TZ: 'UTC' },
          ...(options.uid === undefined ? {} : { uid: options.uid }),
          ...(options.gid === undefined ? {} : { gid: options.gid }),
          url: clusterUrl(cluster, port, 'ballast'),
          ...(encrypted === undefined ? {} : { ca: encrypted.ca }),
          ready: () => untilReady(() => haveDatabase(clusterUrl(cluster, port, 'postgres'), encrypted?.ca)),
          // Fast shutdown; SIGTERM would wait for every session to end by itself.
          stopSignal: 'SIGINT',
        }
      },
    }
  },
  container: {
    takes: ['password'],
    launch(options, port) {
      const { durability = 'disk', password = 'local-password' } = options
      const url = (database: string): string => `postgres://postgres:${password}@127.0.0.1:${port}/${database}`
      return {
        environment: {
          BALLAST_POSTGRES_PORT: String(port),
          BALLAST_POSTGRES_PASSWORD: password,
          BALLAST_POSTGRES_FSYNC: durability === 'disk' ? 'on' : 'off',
        },
        url: url('ballast'),
        ready: () => untilReady(() => haveDatabase(url('postgres'), undefined)),
      }
    },
  },
}

async function installedVersion(): Promise<string> {
  try {
    return (await run(postgresBinaries().postgres, ['--version'])).trim().split(' ').at(-1) ?? 'unknown'
  } catch (error) {
    throw new BackendUnavailableError('postgres', error instanceof Error ? error.message : String(error))
  }
}

async function encrypt({ folder, account }: Cluster): Promise<{ settings: string[]; ca: string }> {
  const { certificate, key } = await makeCertificate()
  const files = {
    ssl_cert_file: join(folder, 'server.pem'),
    ssl_key_file: join(folder, 'server.key'),
    hba_file: join(folder, 'encrypted_hba.conf'),
  }
  await writeFile(files.ssl_cert_file, certificate)
  await writeFile(files.ssl_key_file, key, { mode: 0o600 })
  // With `host`, as initdb writes it, plain connections would be taken as well.
  await writeFile(files.hba_file, 'hostssl all all 127.0.0.1/32 scram-sha-256\n')
  if (account.uid !== undefined && account.gid !== undefined) await chown(files.ssl_key_file, account.uid, account.gid)
  return { settings: ['ssl=on', ...Object.entries(files).map((setting) => setting.join('='))], ca: certificate }
}

async function haveDatabase(url: string, ca: string | undefined): Promise<void> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 2_000,
    ...(ca === undefined ? {} : { ssl: { ca } }),
  })
  client.on('error', () => {})
  try {
    await client.connect()
    const { rowCount } = await client.query(`SELECT FROM pg_database WHERE datname = 'ballast'`)
    if (rowCount === 0) await client.query('CREATE DATABASE ballast')
  } finally {
    await client.end().catch(() => {})
  }
}
