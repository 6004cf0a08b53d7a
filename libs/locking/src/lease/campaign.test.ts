import { expect, test } from 'vitest'
import { campaign, type CampaignObserver, type CampaignOptions, type Leadership } from './campaign.ts'
import { createLeases } from './leases.ts'
import { MemoryLeaseStore } from './memory.ts'
import { SimulatedTime } from './test/simulation.ts'

function election(seen: string[] = []) {
  const time = new SimulatedTime()
  const store = new MemoryLeaseStore({ nowMs: () => time.nowMs() })
  const observer = (name: string): CampaignObserver => ({
    onStarted: ({ fence }) => void seen.push(`${name} leads with ${fence.epoch}`),
    onEnded: ({ reason }) => void seen.push(`${name} ${reason}`),
    onLeader: ({ holder }) => void seen.push(`${name} follows ${holder}`),
    onError: ({ error }) => void seen.push(`${name} ${String(error)}`),
  })
  const run = (name: string, work: (leadership: Leadership) => Promise<void>, options: CampaignOptions = {}) => {
    const leases = createLeases(store, { clock: time, random: () => 0, holder: name })
    return campaign(leases, 'leader', work, { clock: time, random: () => 0, observer: observer(name), ...options })
  }
  return { time, store, run }
}

const untilAbort = ({ signal }: Leadership): Promise<void> =>
  new Promise((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve())))

test('on a stop signal the lease is kept until the guarded work has ended, however long that takes', async () => {
  const seen: string[] = []
  const { time, store, run } = election(seen)
  const [stopFirst, stopSecond] = [new AbortController(), new AbortController()]
  const first = run(
    'first',
    async (leadership) => {
      await untilAbort(leadership)
      expect(leadership.leading).toBe(false)
      // Longer than the lease: it must be renewed meanwhile.
      await new Promise<void>((resolve) => void time.after(40_000, resolve))
      seen.push('work of first ended')
    },
    { signal: stopFirst.signal },
  )
  await time.advance(100)
  const second = run('second', untilAbort, { signal: stopSecond.signal })
  await time.advance(10_000)
  stopFirst.abort()
  await time.advance(39_000)
  expect(store.currentFence('leader')?.epoch).toBe(1n)
  await time.advance(5_000)
  await first
  expect(seen).toEqual([
    'first leads with 1',
    'second follows first',
    'work of first ended',
    'first stopped',
    'second leads with 2',
  ])
  stopSecond.abort()
  await time.advance(1_000)
  await second
  expect(store.currentFence('leader')).toBeUndefined()
})

test('whoever loses is told, and runs again', async () => {
  const seen: string[] = []
  const { time, store, run } = election(seen)
  const stop = new AbortController()
  const running = run('one', untilAbort, { signal: stop.signal })
  await time.advance(5_000)
  store.forget('leader')
  await time.advance(20_000)
  stop.abort()
  await time.advance(1_000)
  await running
  expect(seen).toEqual(['one leads with 1', 'one lost', 'one leads with 1', 'one stopped'])
})

test('a leader that dies is followed after the lease duration of 15 s and at most one retry period with jitter', async () => {
  const { time, store, run } = election()
  await store.take('leader', { nonce: 'dead', holder: 'dead', ttlMs: 15_000, timeoutMs: 1 })
  const stop = new AbortController()
  let ledAtMs = 0
  const running = run(
    'heir',
    async (leadership) => {
      ledAtMs = time.nowMs()
      await untilAbort(leadership)
    },
    { signal: stop.signal },
  )
  await time.advance(30_000)
  expect(ledAtMs).toBeGreaterThanOrEqual(15_000)
  expect(ledAtMs).toBeLessThan(15_000 + 2_000 * 2.2)
  stop.abort()
  await time.advance(100)
  await running
})

test('work that returns ends the campaign and frees the lease; work that throws rejects it, after freeing it', async () => {
  const { time, store, run } = election()
  const done = run('one', async () => {})
  await time.advance(10)
  await expect(done).resolves.toBeUndefined()
  expect(store.currentFence('leader')).toBeUndefined()
  const failed = run('two', () => Promise.reject(new Error('no disk'))).catch((error: unknown) => String(error))
  await time.advance(10)
  await expect(failed).resolves.toBe('Error: no disk')
  expect(store.currentFence('leader')).toBeUndefined()
})

test('errors of the store are told and tried again; a wrong option is thrown', async () => {
  const seen: string[] = []
  const { time, store, run } = election(seen)
  const take = store.take.bind(store)
  store.take = () => Promise.reject(new Error('away'))
  const running = run('one', async () => {})
  await time.advance(5_000)
  store.take = take
  await time.advance(5_000)
  await running
  expect(seen).toEqual(['one Error: away', 'one Error: away', 'one Error: away', 'one leads with 1', 'one done'])
  await expect(run('two', async () => {}, { renewDeadlineMs: 20_000 })).rejects.toThrow('must be below ttlMs')
})
