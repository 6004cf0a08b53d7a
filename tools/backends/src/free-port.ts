import { once } from 'node:events'
import { createServer } from 'node:net'

/** A port that was free a moment ago; a server must be told its port before it runs. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (address === null || typeof address === 'string') throw new Error('a listening TCP server has a port')
  return address.port
}
