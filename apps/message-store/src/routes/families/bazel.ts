import { contentEntry, isInstance, keyedEntry } from '../../transfer/names.ts'
import { entryRoutes } from '../../transfer/entry-routes.ts'
import { takeRawBodies } from '../../transfer/raw-bodies.ts'
import { isEmpty } from '../content.ts'
import type { FamilyRoutes } from './family.ts'

/**
 * Bazel's HTTP cache (`--remote_cache=http://host/bazel/<instance>`): action results by key, their outputs by digest.
 * https://bazel.build/remote/caching#http-caching
 */
export const bazel: FamilyRoutes = async (app, { sender }) => {
  takeRawBodies(app)
  const shared = { family: 'bazel', cacheControl: 'no-cache', damagedIsMissing: true } as const
  entryRoutes(app, sender, {
    ...shared,
    url: '/bazel/:instance/cas/:digest',
    entryOf: ({ instance, digest }) =>
      isInstance(instance) ? contentEntry(`bazel.${instance}.cas`, digest) : undefined,
    known: (entry, reply) => isEmpty(entry) && reply.header('content-length', 0) === reply,
  })
  entryRoutes(app, sender, {
    ...shared,
    url: '/bazel/:instance/ac/:key',
    entryOf: ({ instance, key }) => (isInstance(instance) ? keyedEntry(`bazel.${instance}.ac`, key) : undefined),
  })
}
