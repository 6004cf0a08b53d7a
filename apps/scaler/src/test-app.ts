import { testServer, type App, type ServerOptions } from '@ballast/service'
import { openWorkItemStore, type WorkItemStore } from '@ballast/state-stores/work-item'
import { build } from './app.ts'
import type { Autoscaling } from './routes/autoscale.ts'

/** For tests: the HTTP side on a store in memory. */
export async function testApp(
  replace: (store: WorkItemStore) => WorkItemStore = (store) => store,
  overrides: Partial<ServerOptions> = {},
  status: Autoscaling['status'] = () => undefined,
): Promise<{ app: App; store: WorkItemStore }> {
  const store = replace(await openWorkItemStore('memory:'))
  const autoscaling = { target: 'local', dryRun: false, status }
  const server = testServer('scaler', overrides)
  return {
    app: await build({ server, store, audit, strategy: 'sticky', zones: 'weights', defaults, autoscaling }),
    store,
  }
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
