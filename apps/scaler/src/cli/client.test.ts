import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { makeCertificate } from '@ballast/backends/certificate'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { testApp } from '../test-app.ts'
import { connectTo } from './client.ts'

const plain = { token: undefined, serverCa: undefined, clientCert: undefined, clientKey: undefined, timeoutMs: 10_000 }

/** Says who called: the certificate it showed, and its token. */
async function startServer(options: ServerOptions) {
  const server = createServer({ ...options, requestCert: true }, (request, response) => {
    const socket = 'authorized' in request.socket && request.socket.authorized === true
    response.end(JSON.stringify({ certified: socket, authorization: request.headers.authorization }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `https://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.close()
      await once(server, 'close')
    },
  }
}

test('over TLS with its own authority, a client certificate and a token', async () => {
  await using folder = await temporaryFolder()
  const { certificate, key } = await makeCertificate()
  await using server = await startServer({ cert: certificate, key, ca: certificate, rejectUnauthorized: true })
  const [clientCert, clientKey] = [join(folder.path, 'cert.pem'), join(folder.path, 'key.pem')]
  await writeFile(clientCert, certificate)
  await writeFile(clientKey, key)
  const ask = connectTo({ ...plain, url: server.url, token: 'sesame', serverCa: clientCert, clientCert, clientKey })
  await expect(ask('GET', '/v1/workers')).resolves.toEqual({ certified: true, authorization: 'Bearer sesame' })
  const nameless = connectTo({ ...plain, url: server.url, serverCa: clientCert })
  await expect(nameless('GET', '/v1/workers')).rejects.toThrow(/cannot be reached/)
  const trusting = connectTo({ ...plain, url: server.url, clientCert, clientKey })
  await expect(trusting('GET', '/v1/workers'), 'an authority nobody named').rejects.toThrow(/certificate/)
})

test('the sentence of a problem is the error; what is no answer of a control plane is said to be none', async () => {
  const { app } = await testApp()
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const ask = connectTo({ ...plain, url })
  await expect(ask('POST', '/v1/workers/nobody/drain')).rejects.toThrow(
    /^no live worker is called "nobody"; see GET \/v1\/workers \(404\)$/,
  )
  await expect(ask('GET', '/metrics')).rejects.toThrow(/the answer was not that of a control plane.*\(200\)/)
  await app.close()
})

test('a URL of another kind, a file that is not there: one sentence', async () => {
  expect(() => connectTo({ ...plain, url: 'localhost:4003' })).toThrow(/--url \(SCALER_URL\) must be/)
  const ask = connectTo({ ...plain, url: 'https://127.0.0.1:1', serverCa: '/nowhere/ca.pem' })
  await expect(ask('GET', '/v1/workers')).rejects.toThrow(/\/nowhere\/ca\.pem/)
})
