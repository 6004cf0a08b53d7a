import { openPartitions } from '@ballast/state-stores/stream'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { run, stores } from './system.ts'

test('dead replay on a queue in two partitions keeps to the bound of the queue, not to twice as much', async () => {
  await using folder = await temporaryFolder()
  const args = stores(folder.path)
  {
    await using stream = await openPartitions(args[1] ?? '', { partitions: 2 })
    for (let n = 0; n < 16; n++) {
      const id = `65000000aaaaaaaaaa${n.toString(16).padStart(6, '0')}`
      await stream.append([{ documents: 1, body: Buffer.from(id), firstId: id }])
    }
    const claims = await stream.claim('one', { maxEntries: 100, maxBytes: 1e6, waitMs: 0 })
    expect(new Set(claims.map(({ entry }) => entry.includes('@'))).size).toBe(2)
    await stream.bury(
      claims.map((claimed) => ({
        claimed,
        dead: [{ id: Buffer.from(claimed.body).toString(), reason: 'x', body: claimed.body }],
      })),
    )
  }
  await using replay = run('dead', ['replay', '--stream', args[1] ?? '', '--queue-max-entries', '2', '--json'])
  expect((await replay.exit).code).toBe(1)
  expect(JSON.parse(replay.stdout.join(''))).toMatchObject({ replayed: 2, full: 'entries' })
}, 60_000)
