// The peer of the counter service over HTTP, written as it is: the same server (limits, roles, traces, metrics,
// validation, problems, draining), the same headers in its schema, the same answer. With --redis, Redis counts: one INCR
// per request, answered after its reply; without, a variable. It has neither keys nor versions nor bounds, which cost
// ours what they cost.
import {
  buildServer,
  command,
  defineConfig,
  defineProblems,
  runApp,
  serviceOptions,
  text,
  type Service,
} from '@ballast/service'
import { Redis } from 'ioredis'

const config = defineConfig({
  app: 'peer-counter',
  prefix: 'PEER_COUNTER',
  summary: 'counts in Redis, or in memory',
  options: { ...serviceOptions({ listen: '127.0.0.1:0' }), redis: text({ help: 'URL of the Redis that counts' }) },
})

const problems = defineProblems({
  'outcome-unknown': { status: 504, title: 'Whether the write was applied is unknown' },
})

const header = { type: 'string' }
const headers = {
  type: 'object',
  properties: { 'idempotency-key': header, prefer: header, 'if-match': header, 'if-none-match': header },
}
const body = { type: 'object', properties: { counter: { type: 'integer' } } }
const response = { 200: { description: 'The value.', content: { 'application/json': { schema: body } } } }

function countInMemory(): () => Promise<number> {
  let counter = 0
  return async () => ++counter
}

function countInRedis(service: Pick<Service<unknown>, 'onClose' | 'health'>, url: string): () => Promise<number> {
  // No option that would send a command again; commands of one tick share a write, as our service's share a commit.
  const redis = new Redis(url, {
    enableAutoPipelining: true,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
  })
  service.onClose('redis', () => redis.disconnect())
  service.health.add({ name: 'redis', gates: 'ready', check: async () => void (await redis.ping()) })
  return () => redis.incr('counter')
}

const serve = command(config, async (service) => {
  const next = service.config.redis === undefined ? countInMemory() : countInRedis(service, service.config.redis)
  const app = await buildServer({ ...service.serverOptions, problems, limitsRate: true })
  app.post('/', { config: { role: 'writer' }, schema: { headers, response } }, async (_, reply) => {
    const counter = await next().catch((cause: unknown) => {
      throw problems.create('outcome-unknown', 'Read the counter first.', { cause })
    })
    void reply.header('counter-durability', 'durable')
    return { counter }
  })
  await service.listen(app)
})

await runApp({ name: 'peer-counter', version: '0.0.0', commands: { serve }, defaultCommand: 'serve' })
