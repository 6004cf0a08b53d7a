import { once } from 'node:events'
import { createServer as createHttpServer, request } from 'node:http'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { pipeline } from 'node:stream'

/** A real server behind a front that changes one of its answers. */
export interface Front extends AsyncDisposable {
  /** The real server's URL, with the front's port. */
  readonly url: string
}

/** The node says that it is `version`, which has as many characters as its own. */
export function startOldCassandra(url: string, own: string, version: string): Promise<Front> {
  if (own.length !== version.length) throw new TypeError(`${version} is not as long as ${own}`)
  const front = createServer((client) => {
    const node = connect(Number(new URL(url).port), '127.0.0.1')
    node.on('data', (bytes: Buffer) => client.write(replaced(bytes, own, version)))
    client.pipe(node)
    client.on('error', () => node.destroy()).on('close', () => node.destroy())
    node.on('error', () => client.destroy()).on('close', () => client.destroy())
  })
  return listen(front, url)
}

/** The keys may look at everything and write nothing, as S3 puts it: 403 AccessDenied. */
export function startReadOnlyS3(url: string): Promise<Front> {
  const { port } = new URL(url)
  const front = createHttpServer((asked, answer) => {
    if (asked.method !== 'GET' && asked.method !== 'HEAD') {
      asked.resume()
      answer.writeHead(403, { 'content-type': 'application/xml' })
      answer.end('<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>')
      return
    }
    // The host that was signed is the front's.
    const passed = request({ port, host: '127.0.0.1', method: asked.method, path: asked.url, headers: asked.headers })
    passed.once('response', (found) =>
      pipeline(found, answer.writeHead(found.statusCode ?? 500, found.headers), ignore),
    )
    passed.once('error', () => answer.destroy())
    asked.pipe(passed)
  })
  return listen(front, url)
}

function replaced(bytes: Buffer, from: string, to: string): Buffer {
  for (let at = bytes.indexOf(from); at >= 0; at = bytes.indexOf(from, at + 1)) bytes.write(to, at)
  return bytes
}

async function listen(server: Server, url: string): Promise<Front> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: url.replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${port}`),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

const ignore = (): void => {}
