import { fileURLToPath } from 'node:url'
import { startProcess, temporaryFolder, type TestProcess } from '@ballast/testing'
import { startEmbeddedPostgres } from '@ballast/backends/embedded-postgres'
import { openWorkItemStore, type WorkItemStore } from '@ballast/state-stores/work-item'

export const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

export interface ControlPlane {
  readonly process: TestProcess
  readonly url: string
}

/** A database and as many processes of the scaler as a test wants; all are gone with it. */
export interface Cluster extends AsyncDisposable {
  readonly databaseUrl: string
  /** The test's own view of the store. */
  readonly store: WorkItemStore
  controlPlane(...args: string[]): Promise<ControlPlane>
  worker(name: string, ...args: string[]): Promise<TestProcess>
}

export const leaseTtlMs = 2_000
export const leaderTtlMs = 1_000

/** `storeUrl`: where processes find the database, when not directly. */
export async function startCluster(storeUrl?: (databaseUrl: string) => Promise<string>): Promise<Cluster> {
  const stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const server = await startEmbeddedPostgres({ dataDir: folder.path })
  stack.defer(() => server.stop())
  const store = stack.use(await openWorkItemStore(server.url, { applicationName: 'test' }))
  const env = { SCALER_STORE: (await storeUrl?.(server.url)) ?? server.url }
  const start = async (args: readonly string[]) => {
    const started = stack.use(startProcess({ args: [main, ...args], env }))
    const line = await started.waitForLine(/"listening"/)
    const { url }: { url: string } = JSON.parse(line)
    return { process: started, url }
  }
  return {
    databaseUrl: server.url,
    store,
    controlPlane: (...args) =>
      start([
        'control-plane',
        '--listen',
        '127.0.0.1:0',
        '--leader-ttl-ms',
        String(leaderTtlMs),
        '--rebalance-interval-ms',
        '1000',
        ...args,
      ]),
    worker: async (name, ...args) =>
      (await start(['worker', '--name', name, '--lease-ttl-ms', String(leaseTtlMs), ...args])).process,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}
