import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BackendUnavailableError, type BackendDefinition, type Durability } from './backend.ts'
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
      async launch({ options: { durability = 'disk', tls = false, replicaOf, sentinelOf }, folder, port }) {
        if (sentinelOf !== undefined) return launchSentinel({ program, folder, port, watched: sentinelOf })
        const args = [await writeRole(folder, replicaOf), '--bind', '127.0.0.1', '--dir', folder, '--save', '']
        // A replica is not made to wait for others that might come too.
        args.push('--maxmemory-policy', 'noeviction', '--repl-diskless-sync-delay', '0')
        args.push(...persistence[durability])
        if (!tls) {
          const ready = () => untilReady(() => ping(port))
          return { command: program, args: [...args, '--port', String(port)], url: `redis://127.0.0.1:${port}`, ready }
        }
        const { certificate, key } = await makeCertificate()
        await writeFile(join(folder, 'server.pem'), certificate)
        await writeFile(join(folder, 'server.key'), key, { mode: 0o600 })
        const files = ['cert-file', 'server.pem', 'key-file', 'server.key', 'ca-cert-file', 'server.pem'] as const
        args.push('--port', '0', '--tls-port', String(port), '--tls-auth-clients', 'no')
        for (let i = 0; i < files.length; i += 2) args.push(`--tls-${files[i]}`, join(folder, String(files[i + 1])))
        const ready = () => untilReady(() => ping(port, certificate))
        return { command: program, args, url: `rediss://127.0.0.1:${port}`, ca: certificate, ready }
      },
    }
  },
}

/** In a file, where CONFIG REWRITE changes it: a promoted or demoted server starts again as what it became. */
async function writeRole(folder: string, replicaOf: string | undefined): Promise<string> {
  const path = join(folder, 'redis.conf')
  if (existsSync(path)) return path
  const { hostname, port } = new URL(replicaOf ?? 'redis://none')
  await writeFile(path, replicaOf === undefined ? '' : `replicaof ${hostname} ${port}\n`)
  return path
}

/** Loading the append-only file answers LOADING, which is not yet ready. */
async function ping(port: number, ca?: string): Promise<void> {
  const reply = await redisCommand(port, ['PING'], ca)
  if (reply !== '+PONG') throw new Error(reply)
}
