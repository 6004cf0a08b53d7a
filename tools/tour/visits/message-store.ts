import { randomBytes } from 'node:crypto'
import { bodyOf, digestOf, firstDifference, get, post } from '../chapters/messages.ts'
import { HttpClient } from '../http-client.ts'
import type { Visit } from '../visit.ts'

const clients = 16
const messagesPerClient = 10
const total = clients * messagesPerClient

/** Messages that nobody else has; they are deleted again. */
export const messageStore: Visit = {
  name: 'message-store',
  title: `the wire contract, and ${total} messages written, read and deleted by ${clients} clients`,

  async run({ url, ca, headers, check }) {
    using client = new HttpClient(url, { connections: clients, headers, ...(ca && { ca }) })
    const difference = await firstDifference(client, randomBytes(20).toString('hex'))
    check(
      'every answer is what the original says',
      difference === undefined,
      difference ?? 'status and body, byte for byte',
    )
    let found = 0
    let deleted = 0
    const visitor = async (): Promise<void> => {
      for (let n = 0; n < messagesPerClient; n++) {
        const message = randomBytes(50).toString('hex')
        await post(client, message)
        const { status, body } = await get(client, digestOf(message))
        if (status === 200 && body === bodyOf(message)) found++
        const gone = await client.call({ method: 'DELETE', path: `/messages/${digestOf(message)}` })
        if (gone.status === 200) deleted++
      }
    }
    await Promise.all(Array.from({ length: clients }, visitor))
    check('what is written can be read at once, whoever answers', found === total, `${found} of ${total}`)
    check('and be deleted', deleted === total, `${deleted} of ${total}`)
  },
}
