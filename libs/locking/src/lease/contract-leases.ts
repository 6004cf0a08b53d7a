import { randomBytes } from 'node:crypto'
import { waitUntil } from '@ballast/testing'
import { describe, expect, test } from 'vitest'
import type { LeaseCapabilities, LeaseHarness } from './contract.ts'
import { createLeases, type LeasesOptions } from './leases.ts'
import { LeaseLostError, LeaseTimeoutError, type Leases } from './port.ts'

const newKey = (): string => `lease-${randomBytes(6).toString('hex')}`

/** The same for what users see: waiting, renewing, losing. */
export function describeLeasesContract(harness: () => LeaseHarness, { granularityMs }: LeaseCapabilities): void {
  const ttlMs = Math.max(900, granularityMs)
  const patientTtlMs = Math.max(3000, granularityMs)
  const open = async (options: LeasesOptions = {}): Promise<Leases> => createLeases(await harness().open(), options)

  describe('its users', () => {
    test('a held lease renews itself; the next one has it when the scope ends', async () => {
      await using one = await open()
      await using two = await open()
      const key = newKey()
      const order: string[] = []
      let waiting: Promise<void>
      {
        // Long enough that a busy machine does not keep this process from renewing in time.
        await using lease = await one.acquire(key, { ttlMs: patientTtlMs })
        const acquiredMs = performance.now()
        waiting = (async () => {
          await using next = await two.acquire(key, { ttlMs, timeoutMs: 60_000 })
          order.push(`next ${next.fence.epoch - lease.fence.epoch}`)
        })()
        waiting.catch(() => {})
        await waitUntil(() => performance.now() - acquiredMs > patientTtlMs * 1.1)
        expect(lease.held).toBe(true)
        await expect(two.tryAcquire(key, { ttlMs })).resolves.toBeUndefined()
        order.push('end')
      }
      await waiting
      expect(order).toEqual(['end', 'next 1'])
    })

    test('whoever finds it held gives up after his time-out, or when he is told to', async () => {
      await using one = await open({ holder: 'the first' })
      await using two = await open()
      const key = newKey()
      await using lease = await one.acquire(key, { ttlMs: 60_000 })
      await expect(two.acquire(key, { ttlMs, timeoutMs: 400 })).rejects.toThrow(LeaseTimeoutError)
      await expect(two.acquire(key, { ttlMs, timeoutMs: 400 })).rejects.toThrow('the first holds it')
      const controller = new AbortController()
      const waiting = two.acquire(key, { ttlMs, signal: controller.signal })
      controller.abort('enough')
      await expect(waiting).rejects.toBe('enough')
      expect(lease.held).toBe(true)
    })

    test('a lease that the store has given to another aborts its signal and is not released by its loser', async () => {
      const lost: string[] = []
      const rejected: string[] = []
      await using one = await open({
        observer: {
          onLost: ({ reason }) => void lost.push(reason),
          onFenceRejected: ({ call }) => void rejected.push(call),
        },
      })
      await using two = await open()
      const key = newKey()
      const lease = await one.acquire(key, { ttlMs })
      await harness().forget(key)
      await using other = await two.acquire(key, { ttlMs, timeoutMs: 60_000 })
      await waitUntil(() => lease.signal.aborted)
      expect(lease.signal.reason).toBeInstanceOf(LeaseLostError)
      await lease.release()
      await expect(lease.extend()).rejects.toThrow(LeaseLostError)
      expect([lost, rejected]).toEqual([['refused'], ['renew']])
      await expect(other.extend()).resolves.toBeUndefined()
    })

    test('callers of one process take turns in the order of their calls', async () => {
      await using leases = await open()
      const key = newKey()
      const order: number[] = []
      const turn = async (id: number): Promise<void> => {
        await using _ = await leases.acquire(key, { ttlMs, timeoutMs: 60_000 })
        order.push(id)
      }
      await Promise.all([0, 1, 2, 3].map(turn))
      expect(order).toEqual([0, 1, 2, 3])
    })
  })
}
