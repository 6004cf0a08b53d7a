import { cp, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { freePort, startProcess, temporaryFolder, waitUntil, type TestProcess } from '@ballast/testing'
import { expect, test } from 'vitest'
import { runTask, startApp } from './app.ts'

interface Server extends AsyncDisposable {
  readonly url: string
  cli(...words: string[]): Promise<string>
  kill(): Promise<unknown>
}

/** As components/redis starts it. */
async function startRedis(folder: string, ...args: string[]): Promise<Server> {
  const port = await freePort()
  const keeps = ['--appendonly', 'yes', '--appendfsync', 'always', '--maxmemory-policy', 'noeviction']
  const words = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', ...keeps, ...args]
  const server: TestProcess = startProcess({ command: 'redis-server', args: words })
  const cli = async (...words: string[]): Promise<string> => {
    const client = startProcess({ command: 'redis-cli', args: ['-p', String(port), ...words] })
    await client.exit
    return client.stdout.join('\n')
  }
  await waitUntil(async () => (await cli('ping')) === 'PONG')
  return {
    url: `redis://127.0.0.1:${port}`,
    cli,
    async kill() {
      server.kill('SIGKILL')
      return server.exit
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

const isRewriting = async (redis: Server): Promise<boolean> =>
  !/aof_rewrite_in_progress:0/.test(await redis.cli('info', 'persistence'))

// Servers of our own, but only where one can be had.
await describeOnBackend('redis', () => {
  test('the queue: the append-only files, copied while it runs; what was answered is stored after the restore', async () => {
    await using place = await temporaryFolder()
    const [lost, backup, acknowledged] = ['lost', 'backup', 'acknowledged'].map((name) => join(place.path, name))
    const documents = ['--documents', `lmdb:${join(place.path, 'documents')}`]
    const ids: string[] = []
    await mkdir(`${lost}`)
    {
      await using redis = await startRedis(`${lost}`)
      await using api = await startApp('load-tolerant-api', 'api', '--stream', redis.url, ...documents)
      for (let request = 0; request < 4; request++) {
        const answer: unknown = await (await fetch(`${api.url}/api/data`)).json()
        ids.push(...[Object(answer).writes].flat().map(String))
      }
      expect(ids).toHaveLength(20)
      // No rewrite may begin while the files are copied: it would replace some of them.
      await redis.cli('config', 'set', 'auto-aof-rewrite-percentage', '0')
      await waitUntil(async () => !(await isRewriting(redis)))
      await cp(join(`${lost}`, 'appendonlydir'), join(`${backup}`, 'appendonlydir'), { recursive: true })
      await redis.cli('config', 'set', 'auto-aof-rewrite-percentage', '100')
      await api.kill()
      await redis.kill()
    }
    await rm(`${lost}`, { recursive: true })
    await writeFile(`${acknowledged}`, ids.join('\n'))
    await using redis = await startRedis(`${backup}`)
    const stores = ['--stream', redis.url, ...documents]
    await using consumer = await startApp('load-tolerant-api', 'consumer', ...stores)
    const verify = () => runTask('load-tolerant-api', 'verify', ...stores, '--acknowledged', `${acknowledged}`)
    await waitUntil(async () => (await verify()).code === 0, {
      everyMs: 500,
      what: 'all that was answered to be stored',
    })
    await consumer.stop()
  })

  test('counters: a dump taken over the network, which a server with an append-only file would not read', async () => {
    await using place = await temporaryFolder()
    const [lost, restored, dump] = ['lost', 'restored', 'dump.rdb'].map((name) => join(place.path, name))
    await mkdir(`${lost}`)
    await mkdir(`${restored}`)
    {
      await using redis = await startRedis(`${lost}`)
      await using counter = await startApp('counter', '--store', redis.url)
      for (let count = 0; count < 7; count++) await fetch(counter.url, { method: 'POST' })
      await redis.cli('--rdb', `${dump}`)
      await counter.kill()
      await redis.kill()
    }
    await rm(`${lost}`, { recursive: true })
    await cp(`${dump}`, join(`${restored}`, 'dump.rdb'))
    // First without the append-only file, so that the dump is read; then it is written from what was read.
    await using redis = await startRedis(`${restored}`, '--appendonly', 'no')
    await redis.cli('config', 'set', 'appendonly', 'yes')
    await waitUntil(async () => !(await isRewriting(redis)))
    await redis.kill()
    await using again = await startRedis(`${restored}`)
    await using counter = await startApp('counter', '--store', again.url)
    expect(await (await fetch(counter.url)).json()).toEqual({ counter: 7 })
  })
})
