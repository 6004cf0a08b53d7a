import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import { startBackend } from '@ballast/backends'
import { makeCertificate } from '@ballast/backends/certificate'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { temporaryFolder } from '@ballast/testing'
import { Client, auth } from 'cassandra-driver'
import { expect, test } from 'vitest'
import { openBlobStore } from '../open.ts'
import { keyspaceUrl } from './test-keyspace.ts'

/** Speaks TLS, only with clients that have the one certificate, and passes what they say on to a server. */
async function startMutualTls(server: string): Promise<AsyncDisposable & { address: string; files: string }> {
  const [own, clients] = [await makeCertificate(), await makeCertificate()]
  const folder = await temporaryFolder()
  const pem = { ca: own.certificate, cert: clients.certificate, key: clients.key }
  for (const [name, text] of Object.entries(pem)) writeFileSync(join(folder.path, name), text)
  const options = { cert: own.certificate, key: own.key, ca: clients.certificate, requestCert: true }
  const front = createServer(options, (client) => {
    const target = connect(Number(new URL(server).port), '127.0.0.1')
    client.on('error', () => target.destroy()).on('close', () => target.destroy())
    target.on('error', () => client.destroy()).on('close', () => client.destroy())
    client.pipe(target).pipe(client)
  })
  front.on('tlsClientError', () => {})
  front.listen(0, '127.0.0.1')
  await once(front, 'listening')
  const bound = front.address()
  return {
    address: `127.0.0.1:${typeof bound === 'object' ? bound?.port : ''}`,
    files: folder.path,
    async [Symbol.asyncDispose]() {
      front.close()
      await folder[Symbol.asyncDispose]()
    },
  }
}

await describeOnBackend('cassandra', ({ url }) => {
  const urlIn = keyspaceUrl(url)

  test('a cluster that asks its clients for a certificate gets it', async () => {
    await (await openBlobStore(urlIn())).close()
    await using front = await startMutualTls(url)
    const there = urlIn().replace(/127\.0\.0\.1:\d+/, front.address)
    const [ca, cert, key] = ['ca', 'cert', 'key'].map((name) => `${name}=${join(front.files, name)}`)
    const store = await openBlobStore(`${there}&${ca}&${cert}&${key}`)
    await expect(store.check()).resolves.toBeUndefined()
    await store.close()
    await expect(openBlobStore(`${there}&${ca}`)).rejects.toThrow(
      /^cassandra:\/\/127\.0\.0\.1:\d+\/\w+: it takes only clients with a certificate that it trusts: .*cert=<file>/,
    )
  })

  test('a role that only reads is refused at the start', { timeout: 120_000 }, async () => {
    await using server = await startBackend('cassandra', { password: 'right-password' })
    const there = server.url.replace('?', '/blobs?replication=1&')
    await (await openBlobStore(there)).close()
    await using client = Object.assign(
      new Client({
        contactPoints: [new URL(server.url).host],
        localDataCenter: 'datacenter1',
        authProvider: new auth.PlainTextAuthProvider('cassandra', 'right-password'),
      }),
      { [Symbol.asyncDispose]: (): Promise<void> => client.shutdown() },
    )
    await client.execute("CREATE ROLE reader WITH PASSWORD = 'right-password' AND LOGIN = true")
    const asReader = there.replace('cassandra:right', 'reader:right')
    await client.execute('GRANT SELECT ON KEYSPACE blobs TO reader')
    await expect(openBlobStore(asReader)).rejects.toThrow(/blobs: the role of the URL only reads.*no MODIFY permission/)
    await client.execute('GRANT MODIFY ON KEYSPACE blobs TO reader')
    await (await openBlobStore(asReader)).close()
  })
})
