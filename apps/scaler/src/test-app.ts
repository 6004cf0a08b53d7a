import { testServer, type App } from '@ballast/service'
import { openWorkItemStore, type WorkItemStore } from '@ballast/state-stores/work-item'
import { build } from './app.ts'

/** For tests: the HTTP side on a store in memory. */
export async function testApp(replace: (store: WorkItemStore) => WorkItemStore = (store) => store): Promise<{
  app: App
  store: WorkItemStore
}> {
  const store = replace(await openWorkItemStore('memory:'))
  return { app: await build({ server: testServer('scaler'), store, audit }), store }
}

const audit = () => ({ audits: 3, rows: 2, rowsInTable: 5, doubledTicks: '0', lostTicks: '0', examples: [] })
