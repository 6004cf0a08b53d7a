// A peer of the load-tolerant API: the seed system's design, five awaited XADD and five awaited cached reads a request, on a Redis
// of its own. Its MAXLEN is left out: it would throw unread writes away. Argument: URL of the Redis.
import { randomBytes } from 'node:crypto'
import { fastify } from 'fastify'
import { Redis } from 'ioredis'

const [url = ''] = process.argv.slice(2)
const redis = new Redis(url)
await redis.set('first:write', '650000000102030405000001')
const app = fastify()
app.get('/readyz', () => 'ok')
app.get('/api/data', async () => {
  const writes: (string | null)[] = []
  const reads: (string | null)[] = []
  for (let index = 0; index < 5; index++) {
    const document = { type: 'write', index, payload: randomBytes(256).toString('hex'), timestamp: new Date() }
    writes.push(await redis.xadd('writes', '*', 'data', JSON.stringify(document)))
  }
  for (let index = 0; index < 5; index++) reads.push(await redis.get('first:write'))
  return { status: 'success', writes, reads, timestamp: new Date().toISOString() }
})
const address = await app.listen({ host: '127.0.0.1', port: 0, backlog: 16_384 })
process.stdout.write(`${JSON.stringify({ msg: 'listening', url: address })}\n`)
process.on('SIGTERM', () => process.exit(0))
