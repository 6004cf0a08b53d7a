import { once } from 'node:events'
import { createServer } from 'node:http'
import { freePort } from '@ballast/testing'

export interface DyingReplicas extends AsyncDisposable {
  readonly addresses: readonly string[]
  /** Method and URL of each request that was executed, with those of all three. */
  readonly executed: readonly string[]
}

/** Three stand-ins for replicas. The first that gets a request does what it asks for, and ends before it has answered. */
export async function startDyingReplicas(): Promise<DyingReplicas> {
  const executed: string[] = []
  const servers = [1, 2, 3].map(() =>
    createServer(({ method, url, socket }, response) => {
      const what = `${method} ${url}`
      const dies = url !== '/readyz' && !executed.includes(what)
      if (url !== '/readyz') executed.push(what)
      if (dies) socket.destroy()
      else response.end('answered')
    }),
  )
  const addresses: string[] = []
  for (const server of servers) {
    const port = await freePort()
    await once(server.listen(port, '127.0.0.1'), 'listening')
    addresses.push(`127.0.0.1:${port}`)
  }
  return {
    addresses,
    executed,
    async [Symbol.asyncDispose]() {
      for (const server of servers) {
        server.close()
        server.closeAllConnections()
      }
    },
  }
}
