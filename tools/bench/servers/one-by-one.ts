// The peer of the load-tolerant API: the handler of the original assessment, five awaited writes and then five awaited
// reads, on the same durable queue and the same document store. Arguments: stream URL, documents URL.
import { randomBytes } from 'node:crypto'
import { encodeDocument, ObjectIds, openDocumentStore } from '@ballast/state-stores/document'
import { openStream } from '@ballast/state-stores/stream'
import { fastify } from 'fastify'

const [streamUrl = '', documentsUrl = ''] = process.argv.slice(2)
const stream = await openStream(streamUrl, { bounds: { maxEntries: 1e9, maxBytes: 1e12 } })
const documents = await openDocumentStore(documentsUrl)
const ids = new ObjectIds()
const app = fastify()

app.get('/readyz', () => 'ok')
app.get('/api/data', async () => {
  const writes: string[] = []
  const reads: (string | null)[] = []
  for (let index = 0; index < 5; index++) {
    const timestamp = new Date()
    const id = ids.hex(ids.reserve(1, timestamp.getTime()), 0)
    const { bson } = encodeDocument(id, { type: 'write', index, payload: randomBytes(256).toString('hex'), timestamp })
    const [outcome] = await stream.append([{ documents: 1, body: bson, firstId: id }])
    if (outcome?.outcome !== 'appended') throw new Error(`append: ${outcome?.outcome}`)
    writes.push(id)
  }
  for (let index = 0; index < 5; index++) reads.push((await documents.findFirst({ type: 'write' }))?.id ?? null)
  return { status: 'success', writes, reads, timestamp: new Date().toISOString() }
})

const url = await app.listen({ host: '127.0.0.1', port: 0 })
process.stdout.write(`${JSON.stringify({ msg: 'listening', url })}\n`)
process.on('SIGTERM', () => process.exit(0))
