// A peer of the load-tolerant API: the behaviour of the assessment's starter, five awaited inserts and five awaited finds a request, on
// the document store itself. Argument: its URL.
import { randomBytes } from 'node:crypto'
import { encodeDocument, ObjectIds, openDocumentStore } from '@ballast/state-stores/document'
import { fastify } from 'fastify'

const [url = ''] = process.argv.slice(2)
const documents = await openDocumentStore(url)
const ids = new ObjectIds()
const app = fastify()
app.get('/readyz', () => 'ok')
app.get('/api/data', async () => {
  const writes: string[] = []
  const reads: (string | null)[] = []
  for (let index = 0; index < 5; index++) {
    const timestamp = new Date()
    const id = ids.hex(ids.reserve(1, timestamp.getTime()), 0)
    const payload = randomBytes(256).toString('hex')
    await documents.insertMany([encodeDocument(id, { type: 'write', index, payload, timestamp })])
    writes.push(id)
  }
  for (let index = 0; index < 5; index++) reads.push((await documents.findFirst({ type: 'write' }))?.id ?? null)
  return { status: 'success', writes, reads, timestamp: new Date().toISOString() }
})
const address = await app.listen({ host: '127.0.0.1', port: 0, backlog: 16_384 })
process.stdout.write(`${JSON.stringify({ msg: 'listening', url: address })}\n`)
process.on('SIGTERM', () => process.exit(0))
