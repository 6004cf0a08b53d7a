import { once } from 'node:events'
import { connect } from 'node:net'
import { createServer } from 'node:tls'
import { makeCertificate } from './certificate.ts'

/**
 * Speaks TLS on `port` in place of a server that cannot, and passes what it decrypts on to `targetPort`; resolves with the
 * authority to trust. It lives in the guard and ends with it. One side that ends or breaks takes the other with it.
 */
export async function startTlsFront(port: number, targetPort: number): Promise<string> {
  const { certificate, key } = await makeCertificate()
  const front = createServer({ cert: certificate, key }, (client) => {
    const server = connect(targetPort, '127.0.0.1')
    client.on('error', () => server.destroy()).on('close', () => server.destroy())
    server.on('error', () => client.destroy()).on('close', () => client.destroy())
    client.pipe(server).pipe(client)
  })
  // A client that does not trust us breaks off in the middle of the handshake.
  front.on('tlsClientError', () => {})
  front.listen(port, '127.0.0.1')
  await once(front, 'listening')
  return certificate
}
