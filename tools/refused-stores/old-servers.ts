import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'

export interface OldServer extends AsyncDisposable {
  readonly port: number
}

/** A server of an old version, as far as the first questions go. */
async function serve(answer: (socket: Socket, bytes: Buffer) => void): Promise<OldServer> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).on('data', (bytes: Buffer) => answer(socket, bytes))
  })
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

const info = 'redis_version:6.2.14\r\nrole:master\r\nmaxmemory_policy:noeviction\r\n'

/** Redis 6.2. */
export const startOldRedis = (): Promise<OldServer> =>
  serve((socket, bytes) => {
    for (const [, command = ''] of bytes.toString().matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g)) {
      const said = command.toUpperCase()
      socket.write(said === 'INFO' ? `$${info.length}\r\n${info}\r\n` : said === 'CONFIG' ? '*0\r\n' : '+OK\r\n')
    }
  })

/** PostgreSQL 13: lets everybody in, and answers every query with its settings. */
export const startOldPostgres = (): Promise<OldServer> =>
  serve((socket, bytes) => {
    const isStart = bytes.length > 8 && bytes.readInt32BE(4) === 196_608
    // The driver sends Parse, Bind, Describe, Execute and Sync in one go.
    const answer = [message('1'), message('2'), columns, row, message('C', text('SELECT 1')), ready]
    socket.write(Buffer.concat(isStart ? [message('R', int32(0)), ready] : answer))
  })

const names = ['version', 'standby', 'readonly', 'fsync', 'commit', 'encoding']
const values = ['130014', 'f', 'f', 't', 'on', 'UTF8']
const types = [23, 16, 16, 16, 25, 25]

const int16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255])
const text = (value: string): Buffer => Buffer.from(`${value}\0`)
function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
function message(type: string, ...body: readonly Buffer[]): Buffer {
  const content = Buffer.concat(body)
  return Buffer.concat([Buffer.from(type), int32(content.length + 4), content])
}

const ready = message('Z', Buffer.from('I'))
const columns = message(
  'T',
  int16(names.length),
  ...names.map((name, index) =>
    Buffer.concat([text(name), int32(0), int16(0), int32(types[index] ?? 25), int16(-1 & 0xffff), int32(-1), int16(0)]),
  ),
)
const row = message(
  'D',
  int16(values.length),
  ...values.map((value) => Buffer.concat([int32(value.length), Buffer.from(value)])),
)
