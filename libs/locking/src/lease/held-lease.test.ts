import { expect, test } from 'vitest'
import { createLeases } from './leases.ts'
import { MemoryLeaseStore } from './memory.ts'
import { LeaseLostError, LeaseStoreError, type Lease, type LeaseObserver, type LeaseStore } from './port.ts'
import { SimulatedTime } from './test/simulation.ts'

const timing = { ttlMs: 15_000, renewDeadlineMs: 10_000, retryPeriodMs: 2_000 }

/** One lease on simulated time, held by a store whose methods can be replaced. */
async function hold(
  change: (leases: MemoryLeaseStore, time: SimulatedTime) => Partial<LeaseStore>,
  seen: string[] = [],
) {
  const time = new SimulatedTime()
  const memory = new MemoryLeaseStore({ nowMs: () => time.nowMs() })
  const observer: LeaseObserver = {
    onAcquired: ({ fence }) => void seen.push(`acquired ${fence.epoch}`),
    onRenewed: () => void seen.push('renewed'),
    onLost: ({ reason, heldMs }) => void seen.push(`lost ${reason} after ${heldMs}`),
    onReleased: ({ heldMs }) => void seen.push(`released after ${heldMs}`),
    onFenceRejected: ({ call }) => void seen.push(`fence rejected by ${call}`),
    onEpochRegressed: ({ before, now }) => void seen.push(`epoch ${now} after ${before}`),
    onError: ({ call }) => void seen.push(`error of ${call}`),
  }
  const store: LeaseStore = {
    name: 'changed',
    take: (key, claim) => memory.take(key, claim),
    renew: (key, fence, call) => memory.renew(key, fence, call),
    release: (key, nonce) => memory.release(key, nonce),
    [Symbol.asyncDispose]: async () => {},
    ...change(memory, time),
  }
  const leases = createLeases(store, { clock: time, observer, random: () => 0 })
  const acquiring = leases.acquire('key', timing)
  await time.advance(9_000)
  const lease: Lease = await acquiring
  return { time, memory, leases, lease }
}

test('renewals go on by themselves, every retry period', async () => {
  const seen: string[] = []
  const { time, lease } = await hold(() => ({}), seen)
  await time.advance(60_000)
  expect(lease.held).toBe(true)
  expect(seen.filter((what) => what === 'renewed').length).toBeGreaterThan(28)
  await lease.release()
  expect(seen.at(-1)).toBe('released after 69000')
  expect(lease.signal.reason).toMatchObject({ reason: 'released' })
})

test('the deadline counts from before the request: a slow answer leaves what is left of it', async () => {
  // Taken at once, told 8 s later, and never renewed.
  const { time, lease } = await hold((memory, time) => ({
    async take(key, claim) {
      const taken = await memory.take(key, claim)
      await new Promise<void>((resolve) => void time.after(8_000, resolve))
      return taken
    },
    renew: () => Promise.reject(new LeaseStoreError('away')),
  }))
  expect(time.nowMs()).toBe(9_000)
  expect(lease.held).toBe(true)
  await time.advance(999)
  expect(lease.signal.aborted).toBe(false)
  await time.advance(1)
  expect(lease.signal.aborted).toBe(true)
  expect(lease.signal.reason).toMatchObject({ reason: 'deadline' })
})

test('a renewal that is answered late counts from when it was sent as well', async () => {
  let slow = true
  const { time, lease } = await hold((memory, time) => ({
    async renew(key, fence, call) {
      if (!slow) throw new LeaseStoreError('away')
      slow = false
      const renewed = await memory.renew(key, fence, call)
      await new Promise<void>((resolve) => void time.after(7_000, resolve))
      return renewed
    },
  }))
  // Sent at 2 s, answered at 9 s: good until 12 s.
  await time.advance(2_999)
  expect(lease.held).toBe(true)
  await time.advance(1)
  expect(lease.signal.reason).toMatchObject({ reason: 'deadline' })
})

test('a store that is away for a while costs nothing, one that is away for long costs the lease before others can have it', async () => {
  const seen: string[] = []
  let away = false
  const { time, memory, lease } = await hold(
    (memory) => ({
      renew: (key, fence, call) =>
        away ? Promise.reject(new LeaseStoreError('away')) : memory.renew(key, fence, call),
    }),
    seen,
  )
  away = true
  await time.advance(6_000)
  expect(lease.held).toBe(true)
  away = false
  await time.advance(3_000)
  expect(lease.held).toBe(true)
  away = true
  let abortedAtMs = 0
  lease.signal.addEventListener('abort', () => void (abortedAtMs = time.nowMs()))
  let takenAtMs = 0
  for (let step = 0; takenAtMs === 0 && step < 200; step += 1) {
    await time.advance(100)
    const other = await memory.take('key', { nonce: 'other', holder: 'other', ttlMs: 1_000, timeoutMs: 1 })
    if (other.taken) takenAtMs = time.nowMs()
  }
  expect(takenAtMs - abortedAtMs).toBeGreaterThanOrEqual(5_000)
  expect(seen.some((what) => what.startsWith('lost deadline'))).toBe(true)
  // What was lost stays lost, and its release does not free the other's.
  away = false
  await expect(lease.extend()).rejects.toThrow(LeaseLostError)
  await lease.release()
  expect(seen.at(-1)).toBe('fence rejected by release')
})

test('extend with a longer time holds for longer, and never for less', async () => {
  let away = false
  const { time, lease } = await hold((memory) => ({
    renew: (key, fence, call) => (away ? Promise.reject(new LeaseStoreError('away')) : memory.renew(key, fence, call)),
  }))
  await lease.extend(60_000)
  await lease.extend(1_500)
  away = true
  await time.advance(39_000)
  expect(lease.held).toBe(true)
  await time.advance(1_000)
  expect(lease.held).toBe(false)
})

test('whoever gives up while his request is under way leaves nothing behind', async () => {
  const time = new SimulatedTime()
  const memory = new MemoryLeaseStore({ nowMs: () => time.nowMs() })
  const slow = new MemoryLeaseStore()
  slow.take = async (key, claim) => {
    await new Promise<void>((resolve) => void time.after(1_000, resolve))
    return memory.take(key, claim)
  }
  slow.release = (key, nonce) => memory.release(key, nonce)
  const leases = createLeases(slow, { clock: time })
  const acquiring = leases.acquire('key', { ...timing, timeoutMs: 500 })
  const [outcome] = await Promise.all([acquiring.catch((error: unknown) => error), time.advance(500)])
  expect(String(outcome)).toContain('was not free within 500 ms')
  await time.advance(1_000)
  await leases[Symbol.asyncDispose]()
  expect(memory.currentFence('key')).toBeUndefined()
})

test('an epoch that comes again is told: the store has lost data', async () => {
  const seen: string[] = []
  const { time, memory, leases, lease } = await hold(() => ({}), seen)
  await lease.release()
  memory.forget('key')
  const again = await leases.acquire('key', timing)
  await time.advance(10)
  expect(seen).toContain('epoch 1 after 1')
  await again.release()
})

test('options that contradict are refused with a sentence', async () => {
  const leases = createLeases(new MemoryLeaseStore())
  await expect(leases.acquire('', timing)).rejects.toThrow('cannot name a lease')
  await expect(leases.acquire('a/b', timing)).rejects.toThrow('cannot name a lease')
  await expect(leases.acquire('key', { ttlMs: 0 })).rejects.toThrow('a lease of 0 ms cannot be')
  await expect(leases.acquire('key', { ...timing, renewDeadlineMs: 15_000 })).rejects.toThrow('must be below ttlMs')
  await expect(leases.acquire('key', { ...timing, retryPeriodMs: 9_000 })).rejects.toThrow('must be well below')
})

test('unless told otherwise, the signal aborts after 2/3 of the time, the rest being for the work to end in', async () => {
  const time = new SimulatedTime()
  const store = new MemoryLeaseStore({ nowMs: () => time.nowMs() })
  store.renew = () => Promise.reject(new LeaseStoreError('away'))
  const lease = await createLeases(store, { clock: time }).acquire('key', { ttlMs: 15_000 })
  await time.advance(9_999)
  expect(lease.signal.aborted).toBe(false)
  await time.advance(1)
  expect(lease.signal.aborted).toBe(true)
})
