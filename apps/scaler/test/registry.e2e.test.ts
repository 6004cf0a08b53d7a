import { startBackend } from '@ballast/backends'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { compareTicks, snapshotTicks } from '@ballast/state-stores/work-item'
import { openWorkerRegistry } from '@ballast/state-stores/worker-registry'
import { startProcess, waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { main, startCluster } from './cluster.ts'

const patience = { timeoutMs: 90_000, everyMs: 50 }

await describeOnBackend('redis', () => {
  test('who is there can be seen in Redis; emptied, paused or killed it stops nobody', async () => {
    await using redis = await startBackend('redis', { durability: 'none' })
    await using cluster = await startCluster()
    await cluster.controlPlane()
    const [first] = await Promise.all(
      ['worker-0', 'worker-1'].map((name) => cluster.worker(name, '--registry', redis.url, '--zone', 'z1')),
    )
    await cluster.store.rows.add({ count: 200 })
    await waitUntil(async () => (await cluster.store.leaders.map()).owners.includes('worker-1'), patience)
    await using registry = await openWorkerRegistry(redis.url)
    const seen = () => registry.alive().catch(() => [])
    const everybody = async () => (await seen()).length === 2
    await waitUntil(everybody, patience)
    await waitUntil(
      async () => {
        const rows = (await seen()).map(({ details }) => Number(details['rows']))
        return rows.reduce((sum, count) => sum + count, 0) === 200 && Math.min(...rows) > 50
      },
      { ...patience, what: 'the registry to say who has how many rows' },
    )
    expect((await seen())[0]?.details).toMatchObject({ zone: 'z1', weight: '1' })

    const before = await snapshotTicks(cluster.store.rows)
    const ticksOn = async (what: string) => {
      const { oldestTick: from = 0n } = await snapshotTicks(cluster.store.rows)
      await waitUntil(async () => ((await snapshotTicks(cluster.store.rows)).oldestTick ?? 0n) > from + 2n, {
        ...patience,
        what,
      })
    }
    await registry.forget('worker-0')
    await waitUntil(everybody, { ...patience, what: 'worker-0 to announce itself again' })
    await redis.pause()
    await ticksOn('ticks while Redis hangs')
    await redis.resume()
    await redis.restart()
    await waitUntil(everybody, { ...patience, what: 'both in the emptied registry' })
    await redis.kill()
    await ticksOn('ticks while Redis is gone')
    expect(compareTicks(before, await snapshotTicks(cluster.store.rows))).toMatchObject({
      rows: 200,
      doubledRows: 0,
      lostRows: 0,
    })
    const gaps = (await cluster.store.leaders.members()).map(({ longestGapTicks }) => longestGapTicks)
    expect(Math.max(...gaps), 'the longest wait of a row, in ticks').toBeLessThanOrEqual(6)
    expect(first?.stdout.some((line) => line.includes('not in the registry'))).toBe(true)
    first?.kill('SIGTERM')
    await expect(first?.exit, 'it stops in good order without Redis').resolves.toEqual({ code: 0, signal: null })
  }, 240_000)

  test('a worker begins without Redis; a name that it cannot hold, or another scheme, is refused at once', async () => {
    await using cluster = await startCluster()
    await cluster.worker('worker-0', '--registry', 'redis://127.0.0.1:1')
    const refused = async (name: string, registry: string) => {
      const env = { SCALER_STORE: cluster.databaseUrl, SCALER_REGISTRY: registry }
      await using child = startProcess({ args: [main, 'worker', '--name', name], env })
      await expect(child.exit).resolves.toEqual({ code: 2, signal: null })
      return child.stderr.join('\n')
    }
    await expect(refused('two words', 'redis://127.0.0.1:1')).resolves.toContain(
      '--registry (SCALER_REGISTRY): "two words" is no worker\'s name',
    )
    await expect(refused('w', 'etcd://x')).resolves.toContain('no worker registry for "etcd:"')
  }, 120_000)
})
