import { testServer, type App } from '@ballast/service'
import { openCounterStore, type CounterStore } from '@ballast/state-stores/counter'
import { onTestFinished } from 'vitest'
import packageJson from '../package.json' with { type: 'json' }
import { build } from './app.ts'
import { measuredStore } from './measured-store.ts'
import { counterMetrics } from './metrics.ts'

export interface TestApp {
  readonly app: App
  readonly store: CounterStore
  /** Turns the clock. */
  readonly pass: (durationMs: number) => void
}

export interface TestAppOptions {
  readonly maxTokens?: number
  /** Instead of a store in memory. */
  readonly store?: CounterStore
}

/** The app on a store in memory with a clock of its own; closed with the test. */
export async function testApp({ maxTokens = 1_000, store: given }: TestAppOptions = {}): Promise<TestApp> {
  let nowMs = 1_700_000_000_000
  const now = (): number => nowMs
  const store = given ?? (await openCounterStore('memory:', { maxTokens, now }))
  const server = testServer('counter', { version: packageJson.version })
  const app = await build({
    store: measuredStore(store, counterMetrics(server.metrics)),
    server,
  })
  onTestFinished(() => app.close())
  return { app, store, pass: (durationMs) => void (nowMs += durationMs) }
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
