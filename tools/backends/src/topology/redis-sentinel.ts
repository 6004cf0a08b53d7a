import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Launch, Watched } from '../backend.ts'
import { redisCommand } from '../resp.ts'
import { untilReady } from '../until-ready.ts'

interface SentinelParts {
  readonly program: string
  readonly folder: string
  readonly port: number
  readonly watched: Watched
}

/** Sentinel is redis-server itself. It keeps what it learns in its own file, so that one survives a restart. */
export async function launchSentinel({ program, folder, port, watched }: SentinelParts): Promise<Launch> {
  const { url, name, quorum } = watched
  const primary = new URL(url)
  const file = join(folder, 'sentinel.conf')
  const lines = [
    'bind 127.0.0.1',
    `dir ${folder}`,
    `sentinel monitor ${name} ${primary.hostname} ${primary.port} ${quorum}`,
    // Far below the half minute of production: a test waits for it.
    `sentinel down-after-milliseconds ${name} 1000`,
    `sentinel failover-timeout ${name} 10000`,
  ]
  await writeFile(file, `${lines.join('\n')}\n`)
  const ready = async (): Promise<void> => {
    const reply = await redisCommand(port, ['PING'])
    if (reply !== '+PONG') throw new Error(reply)
  }
  return {
    command: program,
    args: [file, '--sentinel', '--port', String(port)],
    url: `redis://127.0.0.1:${port}`,
    ready: () => untilReady(ready),
  }
}
