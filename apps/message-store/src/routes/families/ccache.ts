import { entryRoutes, type Params } from '../../transfer/entry-routes.ts'
import { keyedEntry } from '../../transfer/names.ts'
import { takeRawBodies } from '../../transfer/raw-bodies.ts'
import type { FamilyRoutes } from './family.ts'

const entryOf = ({ folder, key }: Params): ReturnType<typeof keyedEntry> =>
  keyedEntry('ccache', folder === undefined ? key : `${folder}:${key}`)

/**
 * ccache's HTTP storage (`remote_storage = http://host/ccache`) in its three layouts: `flat` is one part of a path,
 * `subdirs` two, `bazel` is `ac/` and 64 hex digits. All are keys, none is a digest of what is stored.
 * https://ccache.dev/manual/latest.html#_http_storage_backend
 */
export const ccache: FamilyRoutes = async (app, { sender }) => {
  takeRawBodies(app)
  const shared = { family: 'ccache', cacheControl: 'no-cache', damagedIsMissing: true, removed: 204 } as const
  entryRoutes(app, sender, { ...shared, url: '/ccache/:key', entryOf })
  entryRoutes(app, sender, { ...shared, url: '/ccache/:folder/:key', entryOf })
}
