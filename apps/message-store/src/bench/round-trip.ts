import { sha256 } from '@ballast/state-stores/blob'
import type { Answer, Client } from './client.ts'

/** An answer that is not the one the contract has for this request. */
export class WrongAnswerError extends Error {
  override readonly name = 'WrongAnswerError'
}

export const requestsPerMessage = 3

/** POST, GET and DELETE of one new message; rejects with `WrongAnswerError`. */
export async function roundTrip(client: Client, message: string): Promise<void> {
  const digest = sha256(Buffer.from(message))
  const path = `/messages/${digest}`
  expectAnswer(`POST ${message}`, await client.ask('POST', '/messages', JSON.stringify({ message })), [200, 201], {
    digest,
  })
  expectAnswer(`GET ${path}`, await client.ask('GET', path), [200], { message })
  expectAnswer(`DELETE ${path}`, await client.ask('DELETE', path), [200], { message_deleted: digest })
}

function expectAnswer(
  what: string,
  { status, body }: Answer,
  statuses: readonly number[],
  expected: Readonly<Record<string, string>>,
): void {
  if (statuses.includes(status) && normalised(body) === JSON.stringify(expected)) return
  throw new WrongAnswerError(
    `${what}: expected ${statuses.join(' or ')} ${JSON.stringify(expected)}, got ${status} ${body}`,
  )
}

function normalised(json: string): string | undefined {
  try {
    return JSON.stringify(JSON.parse(json))
  } catch {
    return undefined
  }
}
