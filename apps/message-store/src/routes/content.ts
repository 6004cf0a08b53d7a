import type { Routes } from '@ballast/service'
import { contentEntry, keyedEntry } from '../transfer/names.ts'
import { entryRoutes } from '../transfer/entry-routes.ts'
import { takeRawBodies } from '../transfer/raw-bodies.ts'
import { sealed, type Sender } from '../transfer/send.ts'
import * as schemas from './content-schemas.ts'

export interface ContentDeps {
  readonly sender: Sender
  readonly allowDelete: boolean
  /** For bytes that are named by what they are. */
  readonly cacheControl: string
}

const emptyDigest = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

/** The empty blob is there without being stored: clients of content-addressed caches count on it. */
export function isEmpty({ digest }: { readonly digest?: string }): boolean {
  return digest === emptyDigest
}

/** `/cas/{sha256}`: bytes by their digest. `/ac/{key}`: bytes by any key. Together Bazel's HTTP cache protocol. */
export const contentRoutes: Routes<ContentDeps> = async (app, { sender, allowDelete, cacheControl }) => {
  takeRawBodies(app)
  const removal = allowDelete ? { removed: 204 } : {}
  entryRoutes(app, sender, {
    ...removal,
    url: '/cas/:digest',
    family: 'cas',
    cacheControl,
    compress: true,
    entryOf: ({ digest }) => contentEntry('cas', digest),
    known: (entry, reply) => {
      if (!isEmpty(entry)) return false
      void sealed(reply).headers({
        etag: `"${emptyDigest}"`,
        'cache-control': cacheControl,
        'content-type': 'application/octet-stream',
        'content-length': 0,
      })
      return true
    },
    schemas: schemas.cas,
  })
  entryRoutes(app, sender, {
    ...removal,
    url: '/ac/:key',
    family: 'ac',
    cacheControl: 'no-cache',
    compress: true,
    entryOf: ({ key }) => keyedEntry('ac', key),
    schemas: schemas.ac,
  })
}
