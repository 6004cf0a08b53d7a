import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { startProcess, temporaryFolder, waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { NotAppliedError } from '../outcome.ts'
import { lmdbStream } from './lmdb.ts'

const appender = fileURLToPath(new URL('test/appender.ts', import.meta.url))
const appendOnce = fileURLToPath(new URL('test/append-once.ts', import.meta.url))
const stopped = fileURLToPath(new URL('../fixtures/lmdb-stopped.ts', import.meta.url))
const request = { maxEntries: 50, maxBytes: 1_000_000, waitMs: 5 }

test('SIGKILL of the appending process mid-load: every acknowledged entry is there, once, and another process goes on', async () => {
  await using folder = await temporaryFolder()
  await using stream = await lmdbStream({ path: folder.path })
  const acknowledged: string[] = []
  const drained: string[] = []
  for (let round = 0; round < 5; round++) {
    await using process = startProcess({ args: [appender, `lmdb:${folder.path}`, `round${round}`] })
    // The consumer works while the producer is killed: both use the same write lock.
    await waitUntil(async () => {
      const claims = await stream.claim('consumer', request)
      drained.push(...claims.map(({ body }) => Buffer.from(body).toString()))
      await stream.acknowledge(claims)
      return process.stdout.length > 40
    })
    process.kill('SIGKILL')
    await process.exit
    acknowledged.push(...process.stdout)
  }
  for (;;) {
    const claims = await stream.claim('consumer', request)
    if (claims.length === 0) break
    drained.push(...claims.map(({ body }) => Buffer.from(body).toString()))
    await stream.acknowledge(claims)
  }
  const found = new Set(drained)
  expect(acknowledged.length).toBeGreaterThan(200)
  expect(found.size).toBe(drained.length)
  expect(acknowledged.filter((entry) => !found.has(entry))).toEqual([])
  // Extras are at most the one append that each killed process had not heard of.
  expect(found.size - acknowledged.length).toBeLessThanOrEqual(5 * 4)
  expect(await stream.backlog()).toMatchObject({ entries: 0, bytes: 0 })
})

test('a read sees what another process was told is appended, even within one turn of the event loop', async () => {
  await using folder = await temporaryFolder()
  await using stream = await lmdbStream({ path: folder.path })
  await stream.append([{ documents: 1, body: Buffer.from('own') }])
  const before = stream.backlog()
  execFileSync(process.execPath, [appendOnce, `lmdb:${folder.path}`])
  const after = stream.backlog()
  expect([(await before).entries, (await after).entries]).toEqual([1, 2])
})

test('an append that was refused because another process held the lock too long is not there afterwards', async () => {
  await using folder = await temporaryFolder()
  await using stream = await lmdbStream({ path: folder.path, commitTimeoutMs: 200 })
  await using holder = startProcess({ args: [stopped, folder.path, '1500'] })
  await holder.waitForLine(/inside/)
  for (const text of ['refused at the deadline', 'refused at once']) {
    const entry = { documents: 1, body: Buffer.from(text) }
    await expect(stream.append([entry])).rejects.toThrow(NotAppliedError)
    entry.body.fill('x')
  }
  await holder.exit
  await waitUntil(async () => (await stream.check(), true))
  await stream.append([{ documents: 1, body: Buffer.from('taken') }])
  const queued = await stream.queued({ limit: 10 })
  expect(queued.map(({ body }) => Buffer.from(body).toString())).toEqual(['taken'])
})
