import { once } from 'node:events'
import { createServer } from 'node:net'
import { reasonOf, StartError } from './start-error.ts'

export const host = '127.0.0.1'

/** Fails with one sentence unless every port can be listened on; port 0 always can. */
export async function checkPorts(ports: ReadonlyMap<string, number>): Promise<void> {
  for (const [service, port] of ports) {
    if (port !== 0) await checkPort(service, port)
  }
}

async function checkPort(service: string, port: number): Promise<void> {
  const server = createServer()
  try {
    await once(server.listen(port, host), 'listening')
  } catch (error) {
    const reason = reasonOf(error)
    const what = reason === 'EADDRINUSE' ? 'is taken by another program' : `cannot be listened on (${reason})`
    throw new StartError(`Port ${port} of ${service} ${what}: free it, or choose other ports with --port-base.`)
  }
  server.close()
  await once(server, 'close')
}
