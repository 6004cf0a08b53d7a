import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startBackend } from '@ballast/backends'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { openDocumentStore } from '@ballast/state-stores/document'
import { parseRedisUrl, RedisConnection } from '@ballast/state-stores/redis'
import { temporaryFolder, waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { get, load, type Told } from './load-client.ts'
import { run, type Running, start, stop } from './system.ts'

const commandsPerSecond = 60
const streams = ['writes', 'writes-1', 'writes-2', 'writes-3']

async function figure(process: Running, name: string): Promise<number> {
  const { body } = await get(`${process.url}/metrics`)
  return Number(new RegExp(`^load_tolerant_api_${name}(?:\\{[^}]*\\})? (\\d+)$`, 'm').exec(body)?.[1] ?? NaN)
}

const isPending = (field: unknown): boolean => String(field) === 'pending'
const held = (...all: Running[]): Promise<number[]> =>
  Promise.all(all.map((process) => figure(process, 'held_partitions')))

await describeOnBackend('redis', () => {
  test('four partitions, consumers that join, are killed and leave: one active each, all stored once, one cap for all', async () => {
    await using redis = await startBackend('redis', { durability: 'process' })
    await using folder = await temporaryFolder()
    const args = ['--stream', redis.url, '--documents', `lmdb:${join(folder.path, 'documents')}`]
    const limits = ['--commands-per-second', String(commandsPerSecond), '--claim-timeout-ms', '6000']
    const consumer = (): Promise<Running> => start('consumer', [...args, ...limits])
    await using api = await start('api', [...args, '--partitions', '4'])
    await using admin = await RedisConnection.open({ target: parseRedisUrl(redis.url, []), name: 'admin' })
    /** How many consumers have entries of a stream in hand. */
    const active = async (stream: string): Promise<number> => {
      const infos = await admin.send(['XINFO', 'CONSUMERS', stream, 'mongo-writers'])
      if (!Array.isArray(infos)) throw new TypeError('no list of consumers')
      return infos.filter((info) => Array.isArray(info) && Number(info[info.findIndex(isPending) + 1]) > 0).length
    }
    const told: Told = { acknowledged: [], refused: 0, unknown: 0 }
    const done = new AbortController()
    const clients = load(() => api.url, 4, told, done.signal)
    let mostActive = 0
    const lookAtAll = async (): Promise<void> => {
      for (const stream of streams) mostActive = Math.max(mostActive, await active(stream))
    }
    try {
      await using killed = await consumer()
      await waitUntil(async () => (await held(killed))[0] === 4)
      await using leaves = await consumer()
      await waitUntil(async () => (await lookAtAll(), String(await held(killed, leaves)) === '2,2'))
      // So far all was orderly: nothing went to another consumer while it was in somebody's hands.
      expect(mostActive).toBe(1)
      expect(await figure(leaves, 'lost_claims_total')).toBe(0)
      await stop(killed, 'SIGKILL')
      await using stays = await consumer()
      await waitUntil(async () => String(await held(leaves, stays)) === '2,2', { what: 'the heirs of the killed one' })
      expect(await stop(leaves)).toBe(0)
      await waitUntil(async () => (await held(stays))[0] === 4, { what: 'the last one to have all' })
      done.abort()
      await clients
      await waitUntil(async () => JSON.parse((await get(`${api.url}/readyz`)).body).queue?.entries === 0)
      expect(await stop(stays)).toBe(0)
    } finally {
      done.abort()
      await clients
    }
    expect(await stop(api)).toBe(0)
    for (const stream of streams) {
      const appended = await admin.send(['HGET', `{${stream}}:state`, 'appendedDocuments'])
      expect(Number(appended)).toBeGreaterThan(told.acknowledged.length / 10)
    }

    const journal = join(folder.path, 'acknowledged')
    await writeFile(journal, told.acknowledged.map((id) => `${id}\n`).join(''))
    const limit = ['--max-unacknowledged', String(told.unknown * 5)]
    await using verify = run('verify', [...args, '--acknowledged', journal, ...limit, '--json'])
    expect([(await verify.exit).code, JSON.parse(verify.stdout.join(''))]).toMatchObject([
      0,
      { ok: true, stored: told.acknowledged.length, dead: 0, totalQueued: 0 },
    ])
    await using documents = await openDocumentStore(args[3] ?? '')
    const times = (await documents.commandTimes?.()) ?? []
    const worst = Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + 1000).length))
    expect(worst).toBeLessThanOrEqual(commandsPerSecond)
  }, 300_000)
})
