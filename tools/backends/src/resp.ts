import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'

const encode = (words: readonly string[]): string =>
  `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`

/** One command to a Redis server without a driver, for readiness and set-up; resolves with the first reply line. */
export function redisCommand(port: number, words: readonly string[], ca?: string, password?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket =
      ca === undefined
        ? connect(port, '127.0.0.1')
        : connectTls({ port, host: '127.0.0.1', ca, servername: 'localhost' })
    socket.setTimeout(2_000, () => socket.destroy(new Error('no answer')))
    socket.once('error', reject)
    const commands = password === undefined ? [words] : [['AUTH', password], words]
    let reply = ''
    socket.on('data', (chunk: Buffer) => {
      reply += chunk.toString()
      // AUTH is answered with one line.
      const line = reply.split('\r\n').slice(0, -1)[commands.length - 1]
      if (line === undefined) return
      socket.destroy()
      resolve(line)
    })
    socket.write(commands.map(encode).join(''))
  })
}
