import { setTimeout as delay } from 'node:timers/promises'
import { startEmbeddedPostgres } from '@ballast/backends/embedded-postgres'
import { startFaultProxy } from '@ballast/fault-proxy'
import { compareTicks, openWorkItemStore, snapshotTicks, type WorkItemStore } from '@ballast/state-stores/work-item'
import { startProcess, temporaryFolder, waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { leaderTtlMs, leaseTtlMs, main } from './cluster.ts'
import { pickFault, type Member } from './faults.ts'
import { Random } from './simulator/random.ts'
import { recordTicks } from './tick-history.ts'

const rounds = Number(process.env['FAULT_ROUNDS'] ?? 5)
const seed = Number(process.env['FAULT_SEED'] ?? Math.floor(Math.random() * 1e9))
const rows = 1_000
const patience = { timeoutMs: 120_000, everyMs: 100 }

async function allTick(store: WorkItemStore): Promise<boolean> {
  const { oldestTick = 0n } = await snapshotTicks(store.rows)
  return Date.now() / 1000 - Number(oldestTick) < 2.5
}

test(
  `${rounds} faults of real processes and connections (seed ${seed}): 0 ticks doubled, 0 lost, 0 stale writes`,
  { timeout: 300_000 + rounds * 60_000 },
  async ({ annotate }) => {
    const random = new Random(seed)
    await using stack = new AsyncDisposableStack()
    const folder = stack.use(await temporaryFolder())
    const server = await startEmbeddedPostgres({ dataDir: folder.path })
    stack.defer(() => server.stop())
    const store = stack.use(await openWorkItemStore(server.url, { applicationName: 'test' }))

    const member = async (name: string, ...args: string[]): Promise<Member> => {
      const proxy = stack.use(await startFaultProxy({ target: server.url, random: random.next }))
      const start = async () => {
        const env = { SCALER_STORE: proxy.url }
        const started = stack.use(startProcess({ args: [main, ...args, '--listen', '127.0.0.1:0'], env }))
        await started.waitForLine(/"listening"/)
        return started
      }
      return { name, proxy, start, process: await start() }
    }
    const control = (name: string) => member(name, 'control-plane', '--leader-ttl-ms', String(leaderTtlMs))
    const worker = (name: string) => member(name, 'worker', '--name', name, '--lease-ttl-ms', String(leaseTtlMs))
    const members = [
      ...(await Promise.all(['control-0', 'control-1'].map(control))),
      ...(await Promise.all(['worker-0', 'worker-1', 'worker-2'].map(worker))),
    ]
    await store.rows.add({ count: rows })
    await waitUntil(() => allTick(store), { ...patience, what: 'all rows to be ticked' })

    const before = await snapshotTicks(store.rows)
    const history = recordTicks(server.url)
    const happened: string[] = []
    for (let round = 0; round < rounds; round++) {
      const victim = random.pick(members)
      if (victim === undefined) throw new Error('nobody is there')
      const [name, fault] = pickFault(random)
      // Nobody else has a control plane's name: it is not replaced, but killed.
      if (name === 'replaced' && victim.name.startsWith('control')) continue
      happened.push(`${name} of ${victim.name}`)
      const undo = await fault(victim)
      await delay(random.between(0, 2 * leaseTtlMs))
      await undo()
      // Not always: what comes on top of it is of interest too.
      if (random.chance(0.5))
        await waitUntil(() => allTick(store), { ...patience, what: `ticks after ${happened.at(-1)}` })
      const verdict = compareTicks(before, await snapshotTicks(store.rows))
      expect(verdict, happened.join(', ')).toMatchObject({ rows, doubledTicks: 0n, lostTicks: 0n })
    }
    await waitUntil(() => allTick(store), { ...patience, what: 'all rows to be ticked in the end' })
    const { staleWrites, longestUnownedMs, samples } = await history.stop()
    const verdict = compareTicks(before, await snapshotTicks(store.rows))
    await annotate(
      `seed ${seed}: ${happened.join(', ')}: double ticks ${verdict.doubledTicks}, lost ticks ${verdict.lostTicks}, ` +
        `stale writes ${staleWrites}, longest unowned window ${Math.round(longestUnownedMs)} ms, ${samples} looks`,
    )
    expect(verdict).toMatchObject({ rows, doubledTicks: 0n, lostTicks: 0n })
    expect(staleWrites).toBe(0)
    expect(samples).toBeGreaterThan(rounds)
  },
)
