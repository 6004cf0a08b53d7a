import type { ConsoleOptions } from '@ballast/console'
import type { Routes, ServerOptions } from '@ballast/service'
import type { WorkItemStore } from '@ballast/state-stores/work-item'
import type { TickAudit } from './control-plane/tick-audit.ts'

const metrics = ['scaler_']

/** What the page at /ui shows beside the metrics: who lives, who owns how much, and whether a tick was lost or doubled. */
export const consoleOf = (server: ServerOptions, store: WorkItemStore, audit: () => TickAudit): ConsoleOptions => ({
  server,
  metrics,
  async state() {
    const [members, { version, owners, targets }, counts] = await Promise.all([
      store.leaders.members(),
      store.leaders.map(),
      store.leaders.estimateRows(),
    ])
    const alive = new Set(members.filter((member) => member.alive).map(({ name }) => name))
    const nowMs = Date.now()
    const { doubledTicks, lostTicks, audits } = audit()
    return {
      workers: members.map(({ lastTickMs, epoch: _epoch, ...member }) => ({
        ...member,
        behindMs: lastTickMs === 0 ? 0 : Math.max(0, nowMs - lastTickMs),
      })),
      rows: counts.reduce((sum, count) => sum + count, 0),
      mapVersion: String(version),
      unowned: owners.filter((owner) => owner === undefined || !alive.has(owner)).length,
      moving: owners.filter((owner, slot) => owner !== targets[slot]).length,
      doubledTicks,
      lostTicks,
      audits,
    }
  },
})

export const workerConsole = (server: ServerOptions): ConsoleOptions => ({ server, service: 'worker', metrics })

/** `GET /ui/map`: the owner of each slot, as an index of `names`; -1: nobody. Read again only when its version is another. */
export const slotMapRoute: Routes<{ store: WorkItemStore }> = async (app, { store }) => {
  app.get('/ui/map', { config: { role: 'reader', unlimited: true }, schema: { hide: true } }, async () => {
    const { version, owners, targets } = await store.leaders.map()
    const names = [...new Set([...owners, ...targets])].filter((name) => name !== undefined)
    const indexes = new Map(names.map((name, index) => [name, index]))
    const indexOf = (name: string | undefined): number => (name === undefined ? -1 : (indexes.get(name) ?? -1))
    return { version: String(version), names, owners: owners.map(indexOf), targets: targets.map(indexOf) }
  })
}
