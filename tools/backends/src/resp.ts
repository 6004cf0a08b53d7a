import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'

/** One command to a Redis server without a driver, for readiness and set-up; resolves with the first reply line. */
export function redisCommand(port: number, words: readonly string[], ca?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket =
      ca === undefined
        ? connect(port, '127.0.0.1')
        : connectTls({ port, host: '127.0.0.1', ca, servername: 'localhost' })
    socket.setTimeout(2_000, () => socket.destroy(new Error('no answer')))
    socket.once('error', reject)
    let reply = ''
    socket.on('data', (chunk: Buffer) => {
      reply += chunk.toString()
      if (!reply.includes('\r\n')) return
      socket.destroy()
      resolve(reply.slice(0, reply.indexOf('\r\n')))
    })
    socket.write(`*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`)
  })
}
