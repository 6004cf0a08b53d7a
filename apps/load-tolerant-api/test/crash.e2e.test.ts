import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openDocumentStore } from '@ballast/state-stores/document'
import { openStream } from '@ballast/state-stores/stream'
import { freePort, temporaryFolder, waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { load, type Told } from './load-client.ts'
import { run, start, stop, stores } from './system.ts'

/** Rounds of the kill loop; each kills the api, the consumer or both. */
const rounds = Number(process.env['KILL_ROUNDS'] ?? 6)
const commandsPerSecond = 100

test(
  'kill -9 of api and consumer under load: every acknowledged id is stored exactly once, and the cap holds',
  async () => {
    await using folder = await temporaryFolder()
    const args = stores(folder.path)
    const port = await freePort()
    const seed = Date.now() % 1_000_000
    let random = seed
    /** Numerical Recipes' generator: the choice of victims repeats from the seed. */
    const next = (below: number): number => {
      random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0
      return random % below
    }
    const startApi = () => start('api', args, `127.0.0.1:${port}`)
    const startConsumer = () =>
      start('consumer', [...args, '--claim-timeout-ms', '300', '--commands-per-second', String(commandsPerSecond)])

    const told: Told = { acknowledged: [], refused: 0, unknown: 0 }
    const done = new AbortController()
    let api = await startApi()
    let consumer = await startConsumer()
    const clients = load(() => `http://127.0.0.1:${port}`, 32, told, done.signal)
    try {
      for (let round = 0; round < rounds; round++) {
        const before = told.acknowledged.length
        await waitUntil(() => told.acknowledged.length > before + 500 + next(3000), {
          what: `load in round ${round}, seed ${seed}`,
        })
        const victims = next(3)
        if (victims !== 1) {
          await stop(api, 'SIGKILL')
          api = await startApi()
        }
        if (victims !== 0) {
          await stop(consumer, 'SIGKILL')
          consumer = await startConsumer()
        }
      }
    } finally {
      done.abort()
      await clients
    }
    await using stream = await openStream(`lmdb:${join(folder.path, 'stream')}`)
    await waitUntil(async () => (await stream.backlog()).entries === 0, {
      timeoutMs: 60_000,
      what: 'the queue to be empty',
    })
    expect(await stop(api)).toBe(0)
    expect(await stop(consumer)).toBe(0)

    const journal = join(folder.path, 'acknowledged')
    await writeFile(journal, told.acknowledged.map((id) => `${id}\n`).join(''))
    const limit = ['--max-unacknowledged', String(told.unknown * 5)]
    await using verify = run('verify', [...args, '--acknowledged', journal, ...limit, '--json'])
    const { code } = await verify.exit
    expect({ code, report: JSON.parse(verify.stdout.join('')), seed }).toMatchObject({
      code: 0,
      report: { ok: true, acknowledged: told.acknowledged.length, dead: 0, totalQueued: 0 },
    })
    expect(told.acknowledged.length).toBeGreaterThan(rounds * 500)

    await using documents = await openDocumentStore(`lmdb:${join(folder.path, 'documents')}`)
    const times = (await documents.commandTimes?.()) ?? []
    // The log of a long proof is a ring.
    expect(times.length).toBe(Math.min(Number(await documents.commands()), 10_000))
    const inSecondFrom = (from: number): number => times.filter((at) => at >= from && at < from + 1000).length
    expect(Math.max(...times.map(inSecondFrom))).toBeLessThanOrEqual(commandsPerSecond)
  },
  60_000 + rounds * 10_000,
)

test('a store that cannot be asked is no loss: exit 2 and one sentence', async () => {
  await using folder = await temporaryFolder()
  const unreachable = 'mongodb://127.0.0.1:1/x?serverSelectionTimeoutMS=300'
  const stream = `lmdb:${join(folder.path, 'stream')}`
  await using verify = run('verify', ['--stream', stream, '--documents', unreachable])
  expect((await verify.exit).code).toBe(2)
  expect(verify.stderr).toEqual([expect.stringContaining('nothing was verified')])
})

test('a lost entry is found out: verify fails when an acknowledged id is not in the stores', async () => {
  await using folder = await temporaryFolder()
  const journal = join(folder.path, 'acknowledged')
  await writeFile(journal, '650000000102030405000001\n')
  await using verify = run('verify', [...stores(folder.path), '--acknowledged', journal])
  expect((await verify.exit).code).toBe(1)
  expect(verify.stdout.join('\n')).toContain('VIOLATION: 650000000102030405000001 is lost')
})
