import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { createServer, request } from 'node:https'
import { expect, test } from 'vitest'
import { selfSignedCertificate } from './certificate.ts'

test('is signed by itself, for localhost and 127.0.0.1, for a day', () => {
  const now = new Date('2031-02-03T04:05:06Z')
  const certificate = new X509Certificate(selfSignedCertificate(now).cert)
  expect(certificate.verify(certificate.publicKey)).toBe(true)
  expect(certificate.checkHost('localhost')).toBe('localhost')
  expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1')
  expect(certificate.checkHost('example.org')).toBeUndefined()
  expect([certificate.validFrom, certificate.validTo]).toEqual(['Feb  3 03:05:06 2031 GMT', 'Feb  4 04:05:06 2031 GMT'])
})

test('a client that trusts it talks to a server that has it; one that does not trust it refuses', async () => {
  const { cert, key } = selfSignedCertificate()
  const server = createServer({ cert, key }, (_, response) => response.end('hello')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const answer = async (ca?: string): Promise<unknown> => {
    const [response]: unknown[] = await once(request({ port, host: '127.0.0.1', ca, agent: false }).end(), 'response')
    return response
  }
  await expect(answer(cert)).resolves.toMatchObject({ statusCode: 200 })
  await expect(answer()).rejects.toThrow(/self-signed certificate/)
  server.closeAllConnections()
  server.close()
})
