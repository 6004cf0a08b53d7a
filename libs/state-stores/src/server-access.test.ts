import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startBackend, type BackendKind, type RunningBackend } from '@ballast/backends'
import { makeCertificate } from '@ballast/backends/certificate'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { openBlobStore } from './blob/index.ts'
import { openCounterStore } from './counter/index.ts'
import { openDocumentStore } from './document/index.ts'

/** What an adapter's URL needs to reach a server over TLS, and what its refusals have to say. */
interface Access {
  readonly kind: BackendKind
  /** The server's URL with a namespace of its own and the file of the authority to trust. */
  readonly url: (server: string, caFile: string) => string
  readonly open: (url: string) => Promise<AsyncDisposable & { check(): Promise<void> }>
  /** In the one sentence about a server whose authority is not trusted. */
  readonly untrusted: RegExp
  /** In the one about a password that is wrong; undefined where the server checks none. */
  readonly wrongPassword?: RegExp
}

const own = `test_${randomUUID().replaceAll('-', '')}`

const kinds: readonly Access[] = [
  {
    kind: 'redis',
    url: (server, caFile) => `${server}/0?ca=${caFile}`,
    open: (url) => openCounterStore(url),
    untrusted: /certificate/,
    wrongPassword: /password/,
  },
  {
    kind: 'postgres',
    url: (server, caFile) => `${server}?sslmode=verify-full&sslrootcert=${caFile}`,
    open: (url) => openCounterStore(url),
    untrusted: /certificate/,
    wrongPassword: /password/,
  },
  {
    kind: 'cassandra',
    url: (server, caFile) => `${server.replace('?', `/${own}?replication=1&`)}&ca=${caFile}`,
    open: (url) => openBlobStore(url),
    untrusted: /certificate is not trusted.*\?ca=/,
    wrongPassword: /password/,
  },
  {
    kind: 's3',
    url: (server, caFile) => `${server.replace('?', `/${own.replace('_', '-')}?create=true&`)}&ca=${caFile}`,
    open: (url) => openBlobStore(url),
    untrusted: /certificate/,
    wrongPassword: /refuses these keys/,
  },
  {
    kind: 'dynamodb',
    url: (server, caFile) => `${server.replace('?', `/${own}?`)}&ca=${caFile}`,
    open: (url) => openCounterStore(url),
    untrusted: /certificate is not trusted.*\?ca=/,
  },
  {
    kind: 'mongodb',
    url: (server, caFile) => `${server.replace('/?', `/${own}?`)}&tlsCAFile=${caFile}`,
    open: (url) => openDocumentStore(url),
    untrusted: /certificate/,
  },
]

for (const access of kinds) {
  const { kind, url, untrusted, wrongPassword } = access
  await describeOnBackend(kind, () => {
    test(`${kind} trusts its authority and no other, and takes its password and no other`, async () => {
      const options = wrongPassword === undefined ? { tls: true } : { tls: true, password: 'right-password' }
      await using server = await startBackend(kind, options)
      const { caFile = '' } = server
      await using folder = await temporaryFolder()
      const other = join(folder.path, 'other.pem')
      writeFileSync(other, (await makeCertificate()).certificate)
      await opens(access, url(server.url, caFile))
      await expect(refusal(access, url(server.url, other), server)).resolves.toMatch(untrusted)
      if (wrongPassword === undefined) return
      const wrong = server.url.replace('right-password', 'other-password')
      await expect(refusal(access, url(wrong, caFile), server)).resolves.toMatch(wrongPassword)
    })
  })
}

async function opens({ open }: Access, url: string): Promise<void> {
  await using store = await open(url)
  await expect(store.check()).resolves.toBeUndefined()
}

/** What an adapter says that refuses to open: one sentence with the address and no secret in it. */
async function refusal({ open }: Access, url: string, server: RunningBackend): Promise<string> {
  const error = await open(url).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof Error)) throw new Error(`${server.kind} was opened`)
  const host = /127\.0\.0\.1:\d+/.exec(server.url)?.[0] ?? ''
  expect(error.message).toContain(host)
  expect(error.message).not.toMatch(/-password|\n|local-credential/)
  return error.message
}
