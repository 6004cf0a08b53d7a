import { randomBytes } from 'node:crypto'
import { waitUntil } from '@ballast/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { describeLeasesContract } from './contract-leases.ts'
import type { Fence, LeaseStore } from './port.ts'

/** A store of data beside the leases which checks the fence in the same atomic step that writes. */
export interface FencedStore extends AsyncDisposable {
  /** False: the fence is not the current one, and nothing was written. */
  write(key: string, fence: Fence, value: string): Promise<boolean>
  read(key: string): Promise<string | undefined>
}

export interface LeaseHarness extends AsyncDisposable {
  /** One more client of the same leases. */
  open(): Promise<LeaseStore>
  openFenced(): Promise<FencedStore>
  /** Makes the store lose what it knows of a key, as a fail-over to an empty copy does. */
  forget(key: string): Promise<void>
}

export interface LeaseCapabilities {
  /** What a `ttlMs` is rounded up to; kubernetes has whole seconds. */
  readonly granularityMs: number
  /** `observer`: whoever has not seen the holder before waits for a full `ttlMs`, as the store tells no time. */
  readonly expiryBy: 'store' | 'observer'
}

const nonce = (): string => randomBytes(16).toString('hex')

/** What every backend of the port has to do. */
export function describeLeaseContract(
  name: string,
  factory: () => Promise<LeaseHarness>,
  capabilities: LeaseCapabilities = { granularityMs: 1, expiryBy: 'store' },
): void {
  describe(`lease contract: ${name}`, () => {
    let harness: LeaseHarness
    let stores: LeaseStore[]
    let fenced: FencedStore
    let key: string
    beforeEach(async () => {
      harness = await factory()
      stores = await Promise.all([harness.open(), harness.open(), harness.open()])
      fenced = await harness.openFenced()
      key = `lease-${randomBytes(6).toString('hex')}`
    })
    afterEach(async () => {
      await Promise.all([...stores, fenced].map((open) => open[Symbol.asyncDispose]()))
      await harness[Symbol.asyncDispose]()
    })

    const shortMs = Math.max(300, capabilities.granularityMs)
    const timeoutMs = 10_000
    const store = (index = 0): LeaseStore => {
      const found = stores[index]
      if (found === undefined) throw new Error(`there is no store ${index}`)
      return found
    }
    const take = async (index: number, ttlMs = 60_000, own = nonce()): Promise<Fence | undefined> => {
      const taken = await store(index).take(key, {
        nonce: own,
        holder: `holder ${index}`,
        ttlMs,
        timeoutMs,
      })
      return taken.taken ? { epoch: taken.epoch, nonce: own } : undefined
    }
    const taken = async (index: number, ttlMs?: number): Promise<Fence> => {
      const fence = await take(index, ttlMs)
      if (fence === undefined) throw new Error(`store ${index} did not get the lease`)
      return fence
    }
    const takeover = (index: number, ttlMs?: number): Promise<Fence> =>
      waitUntil(() => take(index, ttlMs), { what: 'the lease to run out' })
    const renew = (fence: Fence, ttlMs = 60_000): Promise<boolean> => store().renew(key, fence, { ttlMs, timeoutMs })

    test('the first who asks has it, and the others learn who and for how long', async () => {
      const first = await taken(0, 30_000)
      expect(first.epoch).toBe(1n)
      const refused = await store(1).take(key, {
        nonce: nonce(),
        holder: 'other',
        ttlMs: 30_000,
        timeoutMs,
      })
      expect(refused).toMatchObject({ taken: false, holder: 'holder 0' })
      if (refused.taken) return
      expect(refused.freeInMs).toBeGreaterThan(0)
      expect(refused.freeInMs).toBeLessThanOrEqual(30_000)
    })

    test('of many who ask at once, exactly one gets it, whether the key is new or was released', async () => {
      for (let epoch = 1n; epoch <= 4n; epoch += 1n) {
        const all = await Promise.all(Array.from({ length: 12 }, (_, index) => take(index % 3)))
        const [winner, ...others] = all.filter((fence) => fence !== undefined)
        expect(winner?.epoch).toBe(epoch)
        expect(others).toEqual([])
        await store().release(key, winner?.nonce ?? '', { timeoutMs })
      }
    })

    test('asking again with the nonce that holds it is not a new holding', async () => {
      const own = nonce()
      const first = await take(0, 60_000, own)
      await expect(take(1, 60_000, own)).resolves.toEqual(first)
    })

    test('a renewal needs both parts of the fence', async () => {
      const fence = await taken(0)
      await expect(renew(fence)).resolves.toBe(true)
      await expect(renew({ ...fence, epoch: fence.epoch + 1n })).resolves.toBe(false)
      await expect(renew({ ...fence, epoch: fence.epoch - 1n })).resolves.toBe(false)
      await expect(renew({ ...fence, nonce: nonce() })).resolves.toBe(false)
      await expect(store().renew(`${key}-other`, fence, { ttlMs: 1_000, timeoutMs })).resolves.toBe(false)
    })

    test('renewed, it outlives its first deadline; a renewal never shortens', async () => {
      const fence = await taken(0, shortMs)
      await expect(renew(fence, 60_000)).resolves.toBe(true)
      await expect(renew(fence, 1)).resolves.toBe(true)
      await take(1)
      await new Promise((resolve) => setTimeout(resolve, shortMs + 100))
      await expect(take(1)).resolves.toBeUndefined()
    })

    test('run out and taken by another, it is over for its holder, who cannot free it either', async () => {
      const old = await taken(0, shortMs)
      const startedAtMs = performance.now()
      const next = await takeover(1)
      expect(performance.now() - startedAtMs).toBeGreaterThan(shortMs * 0.8 - 50)
      expect(next.epoch).toBe(old.epoch + 1n)
      await expect(renew(old)).resolves.toBe(false)
      await expect(store().release(key, old.nonce, { timeoutMs })).resolves.toBe(false)
      await expect(take(2)).resolves.toBeUndefined()
      await expect(renew(next)).resolves.toBe(true)
    })

    test('released, it is free at once, and epochs go on from where they were', async () => {
      const first = await taken(0)
      await expect(store().release(key, nonce(), { timeoutMs })).resolves.toBe(false)
      await expect(take(1)).resolves.toBeUndefined()
      await expect(store(2).release(key, first.nonce, { timeoutMs })).resolves.toBe(true)
      await expect(renew(first)).resolves.toBe(false)
      await expect(store().release(key, first.nonce, { timeoutMs })).resolves.toBe(false)
      const second = await taken(1)
      expect(second.epoch).toBe(2n)
    })

    test('keys have nothing to do with each other', async () => {
      await taken(0)
      const other = { nonce: nonce(), holder: 'other', ttlMs: 60_000, timeoutMs }
      await expect(store(1).take(`${key}-2`, other)).resolves.toEqual({ taken: true, epoch: 1n })
    })

    test('a fenced store takes writes of the current holder only', async () => {
      const first = await taken(0, shortMs)
      await expect(fenced.write(key, first, 'first')).resolves.toBe(true)
      await expect(fenced.write(key, { ...first, nonce: nonce() }, 'other nonce')).resolves.toBe(false)
      await expect(fenced.write(key, { ...first, epoch: first.epoch + 1n }, 'other epoch')).resolves.toBe(false)
      const second = await takeover(1)
      await expect(fenced.write(key, first, 'late')).resolves.toBe(false)
      await expect(fenced.write(key, second, 'second')).resolves.toBe(true)
      await store().release(key, second.nonce, { timeoutMs })
      await expect(fenced.write(key, second, 'after the release')).resolves.toBe(false)
      await expect(fenced.read(key)).resolves.toBe('second')
    })

    test('a store that has lost the lease may hand out an epoch twice, and the nonce still tells them apart', async () => {
      const before = await taken(0)
      await harness.forget(key)
      const after = await taken(1)
      expect(after.epoch).toBe(before.epoch)
      await expect(renew(before)).resolves.toBe(false)
      await expect(store().release(key, before.nonce, { timeoutMs })).resolves.toBe(false)
      await expect(fenced.write(key, before, 'of another age')).resolves.toBe(false)
      await expect(fenced.write(key, after, 'now')).resolves.toBe(true)
      await expect(fenced.read(key)).resolves.toBe('now')
    })

    describeLeasesContract(() => harness, capabilities)
  })
}
