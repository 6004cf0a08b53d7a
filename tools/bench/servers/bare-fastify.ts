// The peer of no-op.ts: the same answer from Fastify as it comes, without anything around it.
import { fastify } from 'fastify'

const app = fastify()
app.get('/', () => ({ ok: true }))
app.get('/readyz', () => 'ok')
const url = await app.listen({ host: '127.0.0.1', port: 0 })
process.stdout.write(`${JSON.stringify({ msg: 'listening', url })}\n`)
process.on('SIGTERM', () => process.exit(0))
