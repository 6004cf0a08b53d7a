import type { Routes } from '@ballast/service'
import type { CacheStore } from '@ballast/state-stores/cache'
import { Type } from 'typebox'
import { askStore, changeStore } from '../ask-store.ts'
import type { HotRead } from '../hot-read.ts'

const Stats = Type.Object({
  keys: Type.Integer(),
  hits: Type.Integer(),
  stale: Type.Integer(),
  misses: Type.Integer(),
  loads: Type.Integer(),
  early: Type.Integer({ description: 'loads before the time of a value was over, so that nobody has to wait for one' }),
  failedLoads: Type.Integer(),
})
const Cleared = Type.Object({ status: Type.Literal('cleared'), keys_removed: Type.Integer() })

/** What the read cache of this process holds and did, and a way to empty it. */
export const cacheRoutes: Routes<{ cache: CacheStore; hotRead: HotRead }> = async (app, { cache, hotRead }) => {
  app.get(
    '/api/cache/stats',
    { config: { role: 'operator' }, schema: { summary: 'Counts of the read cache', response: { 200: Stats } } },
    async (request) => ({ keys: await askStore(request, () => cache.size()), ...hotRead.counts }),
  )
  app.post(
    '/api/cache/clear',
    { config: { role: 'operator' }, schema: { summary: 'Empty the read cache', response: { 200: Cleared } } },
    async (request) => ({
      status: 'cleared' as const,
      keys_removed: await changeStore(request, () => cache.clear()),
    }),
  )
}
