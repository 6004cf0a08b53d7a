import { createHash } from 'node:crypto'
import type { HttpClient, Reply } from '../http-client.ts'

export const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex')
export const post = (client: HttpClient, message: string): Promise<Reply> =>
  client.call({
    method: 'POST',
    path: '/messages',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ message }),
  })
/** What GET says of a message, byte for byte. */
export const bodyOf = (text: string): string => `{"message": ${JSON.stringify(text)}}`

export const get = (client: HttpClient, digest: string): Promise<Reply> =>
  client.call({ method: 'GET', path: `/messages/${digest}` })

/** The first answer that differs from the contract, as a sentence. The message must be nobody's: it is deleted. */
export async function firstDifference(client: HttpClient, text = 'foo'): Promise<string | undefined> {
  const foo = digestOf(text)
  const steps: readonly [string, () => Promise<Reply>, number, string][] = [
    ['GET of an unknown digest', () => get(client, 'a'.repeat(64)), 404, '{"err_msg": "Message not found"}'],
    ['POST', () => post(client, text), 201, `{"digest":"${foo}"}`],
    ['the same POST again', () => post(client, text), 200, `{"digest":"${foo}"}`],
    ['GET', () => get(client, foo), 200, bodyOf(text)],
    ['DELETE', () => client.call({ method: 'DELETE', path: `/messages/${foo}` }), 200, `{"message_deleted":"${foo}"}`],
    ['GET after DELETE', () => get(client, foo), 404, '{"err_msg": "Message not found"}'],
  ]
  for (const [what, step, status, body] of steps) {
    const reply = await step()
    if (reply.status !== status || reply.body !== body) return `${what} was answered ${reply.status} ${reply.body}`
  }
  return undefined
}
