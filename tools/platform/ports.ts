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

/** A port base all of whose `offsets` were free a moment ago. Fixed ports, unlike port 0, survive a restart. */
export async function freePortBase(offsets: readonly number[], random: () => number = Math.random): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    // Below the ports that Linux gives to outgoing connections, of which a load test opens thousands.
    const base = 12_000 + Math.floor(random() * 18_000)
    const ports = new Map(offsets.map((offset) => [`offset ${offset}`, base + offset]))
    const free = await checkPorts(ports).then(
      () => true,
      () => false,
    )
    if (free) return base
  }
  throw new StartError(`There are no ${offsets.length} free ports between 12000 and 30000.`)
}
