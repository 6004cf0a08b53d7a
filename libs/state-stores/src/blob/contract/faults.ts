import { setTimeout as delay } from 'node:timers/promises'
import type { RunningBackend } from '@ballast/backends'
import { startFaultProxy, type FaultProxy } from '@ballast/fault-proxy'
import { waitUntil } from '@ballast/testing'
import { expect, onTestFinished, test } from 'vitest'
import { NotAppliedError, OutcomeUnknownError } from '../../outcome.ts'
import type { BlobStore } from '../port.ts'
import { bytesOf, name, readAll } from './harness.ts'

export interface FaultSetup {
  /** A server that belongs to these tests. */
  readonly server: () => RunningBackend
  /** Opens the store at a URL like the server's own, with time-outs of about a second. */
  readonly open: (url: string) => Promise<BlobStore>
}

const [small, large] = [Buffer.from('small'), bytesOf(1, 600_000)]
const anyError = [NotAppliedError.name, OutcomeUnknownError.name]

/** What a store over a network owes its callers when the network or the server fails. */
export function describeFaults({ server, open }: FaultSetup): void {
  const behindProxy = async (): Promise<{ proxy: FaultProxy; store: BlobStore; direct: BlobStore }> => {
    const proxy = await startFaultProxy({ target: server().url })
    const [store, direct] = [await open(proxy.url), await open(server().url)]
    onTestFinished(async () => {
      proxy.heal()
      await store.close()
      await direct.close()
      await proxy[Symbol.asyncDispose]()
    })
    return { proxy, store, direct }
  }

  test('when answers get lost, a put is not applied or unknown, and the same put again finds out', async () => {
    const { proxy, store } = await behindProxy()
    for (const [index, bytes] of [small, large].entries()) {
      const key = name(`lost-${index}`)
      await waitUntil(() => works(store, 'ready'), { timeoutMs: 60_000 })
      proxy.set({ drop: 'answers' })
      const error: unknown = await store.put({ name: key }, [bytes]).catch((reason: unknown) => reason)
      expect(anyError).toContain(error instanceof Error ? error.name : error)
      expect(error).toHaveProperty('message', expect.stringContaining('127.0.0.1'))
      proxy.heal()
      proxy.cut('reset')
      await waitUntil(() => works(store, 'ready'), { timeoutMs: 60_000 })
      // The driver may lose one more connection; what was not applied is sent again, nothing else.
      const again = await waitUntil(async () => {
        try {
          return await store.put({ name: key }, [bytes])
        } catch (reason) {
          if (reason instanceof NotAppliedError) return undefined
          throw reason
        }
      })
      expect(again.outcome).toMatch(/^(created|exists)$/)
      expect((await readAll(await store.open(key)))?.equals(bytes)).toBe(true)
    }
  })

  test('connections that are cut in the middle of a load fail some, lose none and double none', async () => {
    const { proxy, store, direct } = await behindProxy()
    const acknowledged = new Map<string, Buffer>()
    const errors: unknown[] = []
    const stop = new AbortController()
    const writer = async (id: number): Promise<void> => {
      for (let index = 0; !stop.signal.aborted; index++) {
        const bytes = index % 5 === 0 ? bytesOf(index, 300_000) : Buffer.from(`${id}/${index}`)
        await store.put({ name: name(`${id}-${index}`) }, [bytes]).then(
          () => acknowledged.set(`${id}-${index}`, bytes),
          async (error: unknown) => {
            errors.push(error)
            // Without a connection an error is there at once, and the connection needs its turn to come back.
            await delay(20)
          },
        )
      }
    }
    const writers = Array.from({ length: 6 }, (_, id) => writer(id))
    for (const how of ['reset', 'close', 'reset'] as const) {
      const before = acknowledged.size
      await waitUntil(() => acknowledged.size > before + 10, { timeoutMs: 60_000 })
      proxy.cut(how)
    }
    const before = acknowledged.size
    await waitUntil(() => acknowledged.size > before + 10, { timeoutMs: 60_000 })
    stop.abort()
    await Promise.all(writers)
    for (const error of errors) expect(anyError).toContain(error instanceof Error ? error.name : error)
    for (const [key, bytes] of acknowledged) {
      expect((await readAll(await direct.open(name(key))))?.equals(bytes), key).toBe(true)
    }
  })

  test('a server that stops answering costs a time-out that names it; the store goes on when it does', async () => {
    const store = await open(server().url)
    onTestFinished(() => store.close())
    expect((await store.put({ name: name('paused') }, [large])).outcome).toBe('created')
    await server().pause()
    const startedMs = performance.now()
    const results = await Promise.allSettled([
      store.put({ name: name('during') }, [large]),
      store.open(name('paused')),
      store.check(),
    ])
    // Several time-outs of about a second each, on a machine that may be busy; never the length of the pause.
    expect(performance.now() - startedMs).toBeLessThan(20_000)
    for (const result of results) {
      expect(result).toMatchObject({ status: 'rejected', reason: { message: expect.stringContaining('127.0.0.1') } })
    }
    const [item] = await store.putSmall([{ name: name('during'), bytes: small }])
    expect(item).toMatchObject({ outcome: 'failed' })
    await server().resume()
    await waitUntil(() => works(store, 'after'), { timeoutMs: 60_000 })
    expect((await readAll(await store.open(name('paused'))))?.equals(large)).toBe(true)
    await store.check()
  })

  test('kill -9 of the server while it is written to: every acknowledged blob is there and whole', async () => {
    const store = await open(server().url)
    onTestFinished(() => store.close())
    const acknowledged = new Map<string, Buffer>()
    const stop = new AbortController()
    const writer = async (id: number): Promise<void> => {
      for (let index = 0; !stop.signal.aborted; index++) {
        const bytes = index % 5 === 0 ? bytesOf(id * 1000 + index, 300_000) : Buffer.from(`${id}/${index}`)
        const key = `kill-${id}-${index}`
        await store.put({ name: name(key) }, [bytes]).then(
          () => acknowledged.set(key, bytes),
          () => stop.abort(),
        )
      }
    }
    const writers = Array.from({ length: 8 }, (_, id) => writer(id))
    await waitUntil(() => acknowledged.size > 60, { timeoutMs: 60_000 })
    await server().kill()
    await Promise.all(writers)
    expect(acknowledged.size).toBeGreaterThan(60)
    await server().restart()
    await waitUntil(() => works(store, 'again'), { timeoutMs: 90_000 })
    for (const [key, bytes] of acknowledged) {
      expect((await readAll(await store.open(name(key))))?.equals(bytes), key).toBe(true)
    }
  })
}

async function works(store: BlobStore, key: string): Promise<boolean> {
  const [outcome] = await store.putSmall([{ name: name(key), bytes: small }])
  return outcome?.outcome === 'created' || outcome?.outcome === 'exists'
}
