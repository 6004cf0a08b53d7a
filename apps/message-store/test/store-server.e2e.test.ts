import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { createServer } from 'node:tls'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { dropNamespace } from '@ballast/backends/drop-namespace'
import { ownNamespace } from '@ballast/backends/own-namespace'
import { temporaryFolder, waitUntil } from '@ballast/testing'
import { describe, expect, test, vi } from 'vitest'
import { makeCertificate, messageStoreProcess, startMessageStoreOn } from './message-store-process.ts'
import { get, post, remove, sha256 } from './messages-client.ts'

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 })

interface StoreServer {
  /** A keyspace or bucket of its own, made if it is missing. */
  readonly own: string
  readonly missing: string
  readonly missingSays: string
  readonly wrongPort: string
  readonly plainAsTls: string
  /** `own` as it is through a proxy that adds TLS. */
  readonly throughTls: (port: number) => string
}

const foo = '2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae'
const missing = 'a'.repeat(64)

await describeOnBackend('cassandra', ({ url }) => {
  const keyspace = ownNamespace(url, (name) => dropNamespace.cassandra(url, name))
  const own = url.replace('?', `/${keyspace}?replication=1&`)
  describeStoreServer({
    own,
    missing: url.replace('//', '//user:pass-phrase@').replace('?', '/nowhere?'),
    missingSays: 'there is no keyspace "nowhere"',
    wrongPort: 'cassandra://user:pass-phrase@127.0.0.1:1/nowhere?datacenter=datacenter1',
    plainAsTls: `${own}&tls=true`.replace('//', '//user:pass-phrase@'),
    throughTls: (port) => `${own.replace(/:\d+\//, `:${port}/`)}&tls=true`,
  })
})

await describeOnBackend('s3', ({ url }) => {
  const bucket = `test-${randomUUID()}`
  const { host, search } = new URL(url)
  const own = url.replace('?', `/${bucket}/messages?create=true&`)
  describeStoreServer({
    own,
    missing: url.replace('?', '/nowhere?'),
    missingSays: 'there is no bucket "nowhere"',
    wrongPort: `s3+http://user:pass-phrase@127.0.0.1:1/nowhere${search}`,
    plainAsTls: `s3+https://user:pass-phrase@${host}/nowhere${search}`,
    throughTls: (port) => own.replace('s3+http:', 's3+https:').replace(/:\d+\//, `:${port}/`),
  })
  test('wrong keys are refused in one sentence', async () => {
    const wrong = url.replace(/:\/\/[^@]*@/, '://user:pass-phrase@').replace('?', '/nowhere?')
    expect(await refused(wrong)).toContain('the server refuses these keys')
  })
})

function describeStoreServer(store: StoreServer): void {
  const { own, missing: nowhere, missingSays, wrongPort, plainAsTls, throughTls } = store
  describe('the service', () => {
    test('answers the exact bytes of the contract, small and large', async () => {
      await using server = await startMessageStoreOn(own)
      expect(server.stdout.join('\n')).toContain('what this store does not keep, and why')
      const large = 'é\u{1f600}"\\'.repeat(120_000)
      expect(await get(server.url, missing)).toEqual({ status: 404, body: '{"err_msg": "Message not found"}' })
      expect(await post(server.url, 'foo')).toBe(201)
      expect(await post(server.url, 'foo')).toBe(200)
      expect(await get(server.url, foo)).toEqual({ status: 200, body: '{"message": "foo"}' })
      expect(Buffer.byteLength(large)).toBeGreaterThan(2 ** 20 - 100_000)
      expect(await post(server.url, large)).toBe(201)
      expect((await get(server.url, sha256(large))).body === `{"message": ${JSON.stringify(large)}}`).toBe(true)
      expect(await remove(server.url, foo)).toBe(200)
      expect(await remove(server.url, foo)).toBe(404)
      expect((await get(server.url, foo)).status).toBe(404)
      const metrics = await (await fetch(`${server.url}/metrics`)).text()
      expect(metrics).not.toContain('message_store_stored_bytes')
      expect((await fetch(`${server.url}/readyz`)).status).toBe(200)
    })

    test('what must be made once is, through whatever replica: a restic config, PUT with If-None-Match: *', async () => {
      await using first = await startMessageStoreOn(own)
      await using second = await startMessageStoreOn(own)
      const repository = `once-${randomUUID().slice(0, 8)}`
      for (const [path, refusedAs] of [
        [`/restic/${repository}/config`, 403],
        [`/ac/${repository}`, 412],
      ] as const) {
        const method = path.startsWith('/ac/') ? 'PUT' : 'POST'
        const asked = Array.from({ length: 8 }, async (_, index) => {
          const url = (index % 2 === 0 ? first : second).url + path
          return (await fetch(url, { method, body: `config ${index}`, headers: { 'if-none-match': '*' } })).status
        })
        const statuses = await Promise.all(asked)
        const made = statuses.findIndex((status) => status < 300)
        expect(statuses.toSorted((a, b) => a - b).slice(1)).toEqual(Array<number>(7).fill(refusedAs))
        for (const { url } of [first, second]) {
          expect(await (await fetch(url + path)).text()).toBe(`config ${made}`)
        }
      }
    })

    test('killed under load it has lost nothing that was answered', async () => {
      const answered: string[] = []
      for (const round of [0, 1]) {
        const server = await startMessageStoreOn(own)
        const before = answered.length
        const load = Array.from({ length: 8 }, async (_, client) => {
          for (let index = 0; ; index++) {
            const message = `${round}/${client}/${index} `.repeat(index % 7 === 0 ? 20_000 : 3)
            if ((await post(server.url, message)) !== 201) return
            answered.push(message)
          }
        })
        await waitUntil(() => answered.length > before + 60, { timeoutMs: 90_000 })
        server.kill('SIGKILL')
        await expect(server.exit).resolves.toEqual({ code: null, signal: 'SIGKILL' })
        await Promise.all(load)
      }
      await using last = await startMessageStoreOn(own)
      for (const message of answered) {
        const { body } = await get(last.url, sha256(message))
        expect(body === `{"message": ${JSON.stringify(message)}}`, message.slice(0, 20)).toBe(true)
      }
    })

    test('behind a local tier bytes come from the server once; a DELETE through another replica holds at once', async () => {
      await using folder = await temporaryFolder()
      await using server = await startMessageStoreOn(own, '--tier', `lmdb:${folder.path}`, '--tier-bytes', '64MiB')
      await using other = await startMessageStoreOn(own)
      const bytes = Buffer.alloc(900_001, randomUUID())
      const path = `/cas/${sha256(bytes.toString())}`
      expect((await fetch(other.url + path, { method: 'PUT', body: new Uint8Array(bytes) })).status).toBe(201)
      const hits = async (): Promise<number> => {
        const text = await (await fetch(`${server.url}/metrics`)).text()
        return Number(/^message_store_tier_reads_total\{.*outcome="hit".*\} (\d+)$/m.exec(text)?.[1] ?? 0)
      }
      await waitUntil(async () => {
        expect(Buffer.from(await (await fetch(server.url + path)).arrayBuffer()).equals(bytes)).toBe(true)
        return (await hits()) > 0
      })
      const part = await fetch(server.url + path, { headers: { range: 'bytes=0-9' } })
      expect([part.status, await part.text()]).toEqual([206, bytes.toString('utf8', 0, 10)])
      expect(await hits()).toBeGreaterThan(1)
      expect((await fetch(other.url + path, { method: 'DELETE' })).status).toBe(204)
      expect((await fetch(server.url + path)).status).toBe(404)
    })

    test('a start that fails says in one sentence what to do, without the secret', async () => {
      expect(await refused(nowhere)).toContain(missingSays)
      expect(await refused(wrongPort)).toContain('127.0.0.1:1')
      expect(await refused(plainAsTls)).toContain('does that port speak TLS?')
      expect(await refused(`${own}&colour=blue`)).toContain('"colour" is no parameter here')
      expect(await refused(own, '--quota-bytes', '1GiB')).toContain('keeps no quota')
    })

    test('over TLS it starts with the authority that signed, and is refused without it', async () => {
      await using folder = await temporaryFolder()
      const { certFile } = await makeCertificate(folder.path)
      await using proxy = await startTlsProxy(folder.path, new URL(own.replace(/^[^:]*/, 'http')))
      const url = throughTls(proxy.port)
      expect(await refused(url)).toMatch(/certificate.*\?ca=<file>/)
      await using server = await startMessageStoreOn(`${url}&ca=${certFile}`)
      expect(await post(server.url, 'over TLS')).toBe(201)
    })
  })
}

/** Ends TLS in front of a server that has none. */
async function startTlsProxy(folder: string, to: URL): Promise<AsyncDisposable & { readonly port: number }> {
  const [cert, key] = await Promise.all(['cert.pem', 'key.pem'].map((file) => readFile(join(folder, file))))
  const sockets = new Set<Duplex>()
  const server = createServer({ cert, key }, (client) => {
    const upstream = connect(Number(to.port), to.hostname)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {}).on('close', () => (client.destroy(), upstream.destroy()))
    }
    client.pipe(upstream).pipe(client)
  })
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

async function refused(store: string, ...args: string[]): Promise<string> {
  await using refusing = messageStoreProcess('--listen', '127.0.0.1:0', '--store', store, ...args)
  await expect(refusing.exit).resolves.toEqual({ code: 2, signal: null })
  expect(refusing.stderr).toHaveLength(1)
  const [sentence = ''] = refusing.stderr
  expect(sentence).toContain('--store (MESSAGE_STORE_STORE)')
  expect(`${sentence}${refusing.stdout.join('')}`).not.toContain('pass-phrase')
  return sentence
}
