import { keyedEntry } from '../../transfer/names.ts'
import { entryRoutes } from '../../transfer/entry-routes.ts'
import { takeRawBodies } from '../../transfer/raw-bodies.ts'
import type { FamilyRoutes } from './family.ts'

/**
 * The self-hosted cache of Nx: `NX_SELF_HOSTED_REMOTE_CACHE_SERVER=http://host/nx`.
 * https://nx.dev/docs/guides/tasks--caching/self-hosted-caching
 */
export const nx: FamilyRoutes = async (app, { sender }) => {
  takeRawBodies(app)
  entryRoutes(app, sender, {
    url: '/nx/v1/cache/:hash',
    family: 'nx',
    cacheControl: 'no-cache',
    damagedIsMissing: true,
    entryOf: ({ hash }) => keyedEntry('nx', hash),
    // The client takes any other status, 201 and 202 included, for a failure, and sends everything again.
    stored: (_outcome, reply) => void reply.code(200),
  })
}
