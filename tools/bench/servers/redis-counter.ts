// The peer of the counter service over HTTP: a handler on the same stack that lets Redis count. Argument: its URL.
import { fastify } from 'fastify'
import { Redis } from 'ioredis'

const [url = ''] = process.argv.slice(2)
// No option that would send a command again; commands of one tick share a write, as our service's share a commit.
const redis = new Redis(url, {
  enableAutoPipelining: true,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
})
const app = fastify()
app.get('/readyz', async () => redis.ping())
app.post('/', async () => ({ counter: await redis.incr('counter') }))
const address = await app.listen({ host: '127.0.0.1', port: 0 })
process.stdout.write(`${JSON.stringify({ msg: 'listening', url: address })}\n`)
process.on('SIGTERM', () => process.exit(0))
