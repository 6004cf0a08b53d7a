import { connect } from 'node:net'

/** What a server answers to one command: strings, numbers as text, or a list of such; an error reply rejects. */
export type RedisReply = string | undefined | readonly RedisReply[]

/** One command on a connection of its own, without a driver. */
export function redisReply(url: string, words: readonly string[]): Promise<RedisReply> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    socket.setTimeout(5_000, () => socket.destroy(new Error(`${url} does not answer ${words[0]}`)))
    socket.once('error', reject)
    socket.once('close', () => reject(new Error(`${url} closed the connection`)))
    let received = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      try {
        const parsed = parse(received, 0)
        if (parsed === undefined) return
        resolve(parsed.reply)
      } catch (error) {
        reject(error)
      }
      socket.destroy()
    })
    socket.write(`*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`)
  })
}

interface Parsed {
  readonly reply: RedisReply
  readonly end: number
}

/** `undefined` while the reply is not there as a whole. */
function parse(bytes: Buffer, start: number): Parsed | undefined {
  const lineEnd = bytes.indexOf('\r\n', start)
  if (lineEnd < 0) return undefined
  const line = bytes.toString('utf8', start + 1, lineEnd)
  const end = lineEnd + 2
  const kind = String.fromCharCode(bytes[start] ?? 0)
  if (kind === '-') throw new Error(line)
  if (kind === '+' || kind === ':') return { reply: line, end }
  const length = Number(line)
  if (length < 0) return { reply: undefined, end }
  if (kind === '$') {
    if (bytes.length < end + length + 2) return undefined
    return { reply: bytes.toString('utf8', end, end + length), end: end + length + 2 }
  }
  const list: RedisReply[] = []
  let at = end
  for (let i = 0; i < length; i++) {
    const item = parse(bytes, at)
    if (item === undefined) return undefined
    list.push(item.reply)
    at = item.end
  }
  return { reply: list, end: at }
}

/** One section of INFO as a record. */
export async function redisInfo(url: string, section: string): Promise<ReadonlyMap<string, string>> {
  const text = String(await redisReply(url, ['INFO', section]))
  return new Map(
    text
      .split('\r\n')
      .filter((line) => line.includes(':'))
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)] as const),
  )
}
