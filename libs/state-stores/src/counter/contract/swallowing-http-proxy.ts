import { once } from 'node:events'
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'

/** An HTTP proxy that loses chosen requests, or the answers to them, and keeps their connections open. */
export interface SwallowingProxy extends AsyncDisposable {
  readonly port: number
  /** What happens to requests that `matches` until it is set to something else. */
  lose: 'nothing' | 'answers' | 'requests'
  /** Messages that were lost. */
  readonly lost: number
}

export async function startSwallowingProxy(
  target: URL,
  matches: (message: IncomingMessage) => boolean,
): Promise<SwallowingProxy> {
  let lost = 0
  const serve = async (incoming: IncomingMessage, answer: ServerResponse): Promise<void> => {
    const body = Buffer.concat(await incoming.toArray())
    const what = matches(incoming) ? proxy.lose : 'nothing'
    if (what === 'requests') {
      lost += 1
      return
    }
    const { method, url: path, headers } = incoming
    const onward = request({ host: target.hostname, port: target.port, method, path, headers }, (reply) => {
      if (what === 'nothing') {
        answer.writeHead(reply.statusCode ?? 502, reply.headers)
        reply.pipe(answer)
        return
      }
      // The answer is here, so the request has been carried out.
      reply.resume()
      lost += 1
    })
    onward.on('error', () => answer.destroy())
    onward.end(body)
  }
  const server = createServer((incoming, answer) => {
    serve(incoming, answer).catch(() => answer.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const proxy: SwallowingProxy = {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    lose: 'nothing',
    get lost() {
      return lost
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
  return proxy
}
