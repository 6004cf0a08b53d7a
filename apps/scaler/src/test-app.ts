import { testServer, type App, type ServerOptions } from '@ballast/service'
import { openWorkItemStore, type WorkItemStore } from '@ballast/state-stores/work-item'
import { build } from './app.ts'

/** For tests: the HTTP side on a store in memory. */
export async function testApp(
  replace: (store: WorkItemStore) => WorkItemStore = (store) => store,
  overrides: Partial<ServerOptions> = {},
): Promise<{ app: App; store: WorkItemStore }> {
  const store = replace(await openWorkItemStore('memory:'))
  const server = testServer('scaler', overrides)
  return { app: await build({ server, store, audit, strategy: 'sticky', zones: 'weights', defaults }), store }
}

const audit = () => ({ audits: 3, rows: 2, rowsInTable: 5, doubledTicks: '0', lostTicks: '0', examples: [] })
const defaults = {
  imbalancePermille: 5,
  rebalanceIntervalMs: 5_000,
  churnBudgetRows: 0,
  autoscale: true,
  rowsPerWorker: 10_000,
  minWorkers: 1,
  maxWorkers: 10,
}
