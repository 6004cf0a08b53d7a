import { existsSync } from 'node:fs'
import { appendFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BackendUnavailableError, type BackendDefinition, type BackendOptions, type Durability } from './backend.ts'
import { makeCertificate } from './certificate.ts'
import { installWithApt } from './debian.ts'
import { redisCommand } from './resp.ts'
import { findProgram, run } from './run.ts'
import { launchSentinel } from './topology/redis-sentinel.ts'
import { untilReady } from './until-ready.ts'

const persistence: Record<Durability, string[]> = {
  none: ['--appendonly', 'no'],
  process: ['--appendonly', 'yes', '--appendfsync', 'everysec'],
  disk: ['--appendonly', 'yes', '--appendfsync', 'always'],
}

/** Redis 7 with an append-only file, and `noeviction`: a store that forgets under pressure keeps no promise. */
export const redis: BackendDefinition = {
  kind: 'redis',
  variable: 'REDIS_URL',
  async find(fetch) {
    const program =
      findProgram('redis-server') ?? (fetch ? await installWithApt('redis-server', 'redis-server') : undefined)
    if (program === undefined) {
      throw new BackendUnavailableError(
        'redis',
        'there is no redis-server on PATH; on Debian: apt-get install redis-server',
      )
    }
    const version = /v=(\S+)/.exec(await run(program, ['--version']))?.[1] ?? 'unknown'
    return {
      origin: 'path',
      version,
      async launch({ options, folder, port }) {
        const { durability = 'disk', tls = false, password, sentinelOf } = options
        if (sentinelOf !== undefined) return launchSentinel({ program, folder, port, watched: sentinelOf })
        const args = [await writeRole(folder, options), '--bind', '127.0.0.1', '--dir', folder, '--save', '']
        // A replica is not made to wait for others that might come too.
        args.push('--maxmemory-policy', 'noeviction', '--repl-diskless-sync-delay', '0')
        args.push(...persistence[durability])
        const ca = tls ? await encrypt(folder) : undefined
        if (ca === undefined) args.push('--port', String(port))
        else args.push('--port', '0', '--tls-port', String(port))
        return {
          command: program,
          args,
          url: urlOf(port, options),
          ...(ca === undefined ? {} : { ca }),
          ready: () => untilReady(() => ping(port, ca, password)),
        }
      },
    }
  },
  container: {
    takes: ['password'],
    launch: (options, port) => {
      const { durability = 'disk', password } = options
      return {
        environment: {
          BALLAST_REDIS_PORT: String(port),
          BALLAST_REDIS_APPENDONLY: durability === 'none' ? 'no' : 'yes',
          BALLAST_REDIS_APPENDFSYNC: durability === 'disk' ? 'always' : 'everysec',
          BALLAST_REDIS_PASSWORD: password ?? '',
        },
        url: urlOf(port, options),
        ready: () => untilReady(() => ping(port, undefined, password)),
      }
    },
  },
}

function urlOf(port: number, { tls = false, password }: BackendOptions): string {
  const login = password === undefined ? '' : `:${password}@`
  return `${tls ? 'rediss' : 'redis'}://${login}127.0.0.1:${port}`
}

/** In a file, where CONFIG REWRITE changes it: a promoted or demoted server starts again as what it became. */
async function writeRole(folder: string, { replicaOf, password }: BackendOptions): Promise<string> {
  const path = join(folder, 'redis.conf')
  if (existsSync(path)) return path
  const lines: string[] = []
  if (replicaOf !== undefined) {
    const primary = new URL(replicaOf)
    lines.push(`replicaof ${primary.hostname} ${primary.port}\n`)
    if (primary.password !== '') lines.push(`masterauth ${primary.password}\n`)
  }
  if (password !== undefined) lines.push(`requirepass ${password}\n`)
  await writeFile(path, lines.join(''), { mode: 0o600 })
  return path
}

/** Writes what redis.conf names; returns the authority to trust. */
async function encrypt(folder: string): Promise<string> {
  const { certificate, key } = await makeCertificate()
  const files = { certificate: join(folder, 'server.pem'), key: join(folder, 'server.key') }
  await writeFile(files.certificate, certificate)
  await writeFile(files.key, key, { mode: 0o600 })
  const lines = ['tls-auth-clients no', `tls-cert-file ${files.certificate}`, `tls-key-file ${files.key}`]
  await appendFile(join(folder, 'redis.conf'), [...lines, `tls-ca-cert-file ${files.certificate}`, ''].join('\n'))
  return certificate
}

/** Loading the append-only file answers LOADING, which is not yet ready. */
async function ping(port: number, ca: string | undefined, password: string | undefined): Promise<void> {
  const reply = await redisCommand(port, ['PING'], ca, password)
  if (reply !== '+PONG') throw new Error(reply)
}
