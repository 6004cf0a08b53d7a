import { Readable } from 'node:stream'
import type { App } from '@ballast/service'
import type { NewEntry } from '@ballast/state-stores/blob'
import { problems } from '../../problems.ts'
import { contentEntry, isInstance } from '../../transfer/names.ts'
import { entryRoutes, paramsOf, type Params } from '../../transfer/entry-routes.ts'
import { challengeBasic } from '../../transfer/basic-credentials.ts'
import { takeRawBodies } from '../../transfer/raw-bodies.ts'
import type { Blobs } from '../../blobs.ts'
import type { FamilyRoutes } from './family.ts'
import { refusal } from '../../refusals.ts'
import { claimKey, claimRepository, type NewRepository } from './restic/claim.ts'

const types = ['data', 'keys', 'locks', 'snapshots', 'index'] as const
const v2 = 'application/vnd.x.restic.rest.v2'

/**
 * restic's REST backend, version 2 (`restic -r rest:http://host/restic/<repository>`). Every file but the config is
 * named by its digest, which is verified. https://restic.readthedocs.io/en/stable/100_references.html#rest-backend
 */
export const restic: FamilyRoutes = async (app, { sender, allowDelete }) => {
  takeRawBodies(app)
  challengeBasic(app)
  const { blobs } = sender
  const shared = {
    family: 'restic',
    cacheControl: 'no-cache',
    write: 'POST',
    // The client takes no other status for success.
    stored: (_outcome: string, reply: { code(status: number): unknown }) => void reply.code(200),
  } as const

  for (const url of ['/restic/:repository', '/restic/:repository/']) {
    app.post(url, { config: { role: 'writer' }, schema: { hide: true } }, async (request, reply) => {
      // There is nothing to be made: a repository begins with its first file.
      await claimRepository(blobs, newRepository(paramsOf(request)['repository'])).catch((error: unknown) => {
        throw refusal(error) ?? error
      })
      return reply.code(200).send()
    })
  }

  entryRoutes(app, sender, {
    ...shared,
    url: '/restic/:repository/config',
    entryOf: ({ repository }) =>
      isInstance(repository) ? { name: { namespace: namespaceOf(repository, 'config'), key: 'config' } } : undefined,
    // Another config, and with it another key, would make everything that is stored unreadable.
    mayReplace: false,
  })

  for (const type of types) {
    // Without its locks a repository cannot be used at all; the rest is for ever where nothing is deleted.
    const removal = allowDelete || type === 'locks' ? { removed: 200 } : {}
    const before = ({ name: { key } }: NewEntry, { repository }: Params): Promise<void> =>
      claimKey(blobs, newRepository(repository), key)
    entryRoutes(app, sender, {
      ...shared,
      ...removal,
      ...(type === 'keys' && { before }),
      url: `/restic/:repository/${type}/:digest`,
      entryOf: ({ repository, digest }) =>
        isInstance(repository) ? contentEntry(namespaceOf(repository, type), digest) : undefined,
    })
    for (const url of [`/restic/:repository/${type}/`, `/restic/:repository/${type}`]) listRoute(app, blobs, url, type)
  }
}

function listRoute(app: App, blobs: Blobs, url: string, type: string): void {
  app.get(url, { config: { role: 'reader' }, schema: { hide: true } }, async (request, reply) => {
    const sized = request.headers.accept?.includes(v2) === true
    const namespace = namespaceOf(paramsOf(request)['repository'], type)
    const list = listed(blobs, namespace, ({ key, sizeBytes }) => (sized ? { name: key, size: sizeBytes } : key))
    return reply
      .type(sized ? v2 : 'application/vnd.x.restic.rest.v1')
      .header('x-content-type-options', 'nosniff')
      .send(Readable.from(list, { objectMode: false }))
  })
}

/** A JSON list in pieces of a thousand, however many there are. */
async function* listed(
  blobs: Blobs,
  namespace: string,
  item: (entry: { readonly key: string; readonly sizeBytes: number }) => unknown,
): AsyncGenerator<string> {
  let separator = '['
  for (let after: string | undefined; ;) {
    const { entries, next } = await blobs.scan(namespace, after, 1_000)
    if (entries.length > 0) {
      yield separator + entries.map((entry) => JSON.stringify(item(entry))).join(',')
      separator = ','
    }
    if (next === undefined) break
    after = next
  }
  yield separator === '[' ? '[]' : ']'
}

function newRepository(repository: string | undefined): NewRepository {
  const config = { namespace: namespaceOf(repository, 'config'), key: 'config' }
  return { config, namespace: namespaceOf(repository, 'making') }
}

function namespaceOf(repository: string | undefined, type: string): string {
  if (isInstance(repository)) return `restic.${repository}.${type}`
  throw problems.create('invalid-name', 'A repository is 1 to 40 of a-z 0-9 . _ -, and no part of a path.')
}
