import { startEmbeddedPostgres } from '@ballast/backends/embedded-postgres'
import { openWorkItemStore } from '@ballast/state-stores/work-item'
import { temporaryFolder, waitUntil } from '@ballast/testing'
import pg from 'pg'
import { expect, test } from 'vitest'

const rows = 5_000
const ticks = 6

interface Updates {
  readonly updates: number
  readonly hot: number
  readonly options: readonly string[]
}

test('ticks are HOT updates: new versions of a row find room in its page, and no index grows', async ({ annotate }) => {
  await using folder = await temporaryFolder()
  await using stack = new AsyncDisposableStack()
  const server = await startEmbeddedPostgres({ dataDir: folder.path })
  stack.defer(() => server.stop())
  await using store = await openWorkItemStore(server.url)
  await store.rows.add({ count: rows })
  const identity = { name: 'w', incarnation: crypto.randomUUID() }
  const registration = { weight: 1, ttlMs: 3_600_000 }
  await store.workers.register(identity, registration)
  const leader = await store.leaders.campaign('test', 3_600_000)
  if (leader === undefined) throw new Error('no leader')
  await store.leaders.publish(
    leader,
    Array.from({ length: store.slots }, (_, slot) => ({ slot, to: 'w' })),
  )
  await store.leaders.takeOver(leader)
  const lease = await store.workers.register(identity, registration)
  for (let done = 0; done < ticks;) {
    await waitUntil(
      async () => {
        const outcome = await store.workers.tick(lease)
        return outcome.kind === 'ticked' && outcome.rows > 0
      },
      { what: 'the next tick' },
    )
    done += 1
  }

  const client = new pg.Client({ connectionString: server.url })
  await client.connect()
  stack.defer(() => client.end())
  // Sessions tell their counts when they have been idle for a moment.
  const counted = await waitUntil(
    async () => {
      await client.query('SELECT pg_stat_clear_snapshot()')
      const answer = await client.query<Updates>(
        `SELECT s.n_tup_upd::integer AS updates, s.n_tup_hot_upd::integer AS hot, c.reloptions AS options
         FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid WHERE s.relname = 'work_items'`,
      )
      return answer.rows.find(({ updates }) => updates >= rows * ticks)
    },
    { what: 'the counts of all ticks' },
  )
  await annotate(`${counted.hot} of ${counted.updates} updates were HOT`)
  expect(counted.options).toContain('fillfactor=45')
  // The first version of a row after a tick that vacuum has not yet pruned may not fit; almost all do.
  expect(counted.hot / counted.updates).toBeGreaterThan(0.95)
})
