import { testServer, type App, type ServerOptions } from '@ballast/service'
import { openCounterStore, type CounterStore } from '@ballast/state-stores/counter'
import { onTestFinished } from 'vitest'
import packageJson from '../package.json' with { type: 'json' }
import { build, type BuildDeps } from './app.ts'
import { BufferedAdditions, type LossReason } from './buffered-additions.ts'
import { measuredStore } from './measured-store.ts'
import { counterMetrics } from './metrics.ts'

export interface TestApp {
  readonly app: App
  readonly store: CounterStore
  /** Turns the clock. */
  readonly pass: (durationMs: number) => void
  /** Buffered additions that were lost. */
  readonly losses: { additions: number; reason: LossReason }[]
  readonly buffer: BufferedAdditions
}

export interface TestAppOptions {
  readonly maxTokens?: number
  /** Instead of a store in memory. */
  readonly store?: CounterStore
  readonly streams?: BuildDeps['streams']
  readonly buffered?: readonly string[]
  readonly server?: Partial<ServerOptions>
  readonly datedKeysWithinMs?: number
}

/** The app on a store in memory with a clock of its own; closed with the test. */
export async function testApp(options: TestAppOptions = {}): Promise<TestApp> {
  const { maxTokens = 1_000, store: given, streams, buffered = [], datedKeysWithinMs } = options
  let nowMs = 1_700_000_000_000
  const now = (): number => nowMs
  const store = given ?? (await openCounterStore('memory:', { maxTokens, now }))
  const server = testServer('counter', { version: packageJson.version, ...options.server })
  const measured = measuredStore(store, counterMetrics(server.metrics))
  const losses: TestApp['losses'] = []
  const lost = (additions: number, reason: LossReason): void => void losses.push({ additions, reason })
  // Flushed when a test says so.
  const buffer = new BufferedAdditions(measured, { patterns: buffered, flushIntervalMs: 3_600_000, lost })
  const app = await build({ store: measured, server, buffer, datedKeysWithinMs, ...(streams && { streams }) })
  onTestFinished(async () => {
    await app.close()
    await buffer.close()
  })
  return { app, store, pass: (durationMs) => void (nowMs += durationMs), losses, buffer }
}

/** A store whose first commit waits until it is released. */
export async function memoryStoreWithGate(): Promise<{ store: CounterStore; release: () => void }> {
  const memory = await openCounterStore('memory:')
  const { promise: opened, resolve: release } = Promise.withResolvers<void>()
  const commit: CounterStore['commit'] = async (ops) => {
    await opened
    return memory.commit(ops)
  }
  return { store: { ...memory, commit }, release }
}
