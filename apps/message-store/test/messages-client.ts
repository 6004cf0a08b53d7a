import { createHash } from 'node:crypto'

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Undefined when no answer came, or one that leaves open what happened. */
export type Status = number | undefined

export interface Got {
  readonly status: Status
  readonly body: string
}

export async function post(url: string, message: string): Promise<Status> {
  const { status } = await ask(`${url}/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ message }),
  })
  return status
}

export const get = (url: string, digest: string): Promise<Got> => ask(`${url}/messages/${digest}`)

export async function remove(url: string, digest: string): Promise<Status> {
  return (await ask(`${url}/messages/${digest}`, { method: 'DELETE' })).status
}

/** A body that does not arrive whole is no answer. */
async function ask(url: string, init: RequestInit = {}): Promise<Got> {
  try {
    const answer = await fetch(url, { ...init, signal: AbortSignal.timeout(60_000) })
    const body = await answer.text()
    if (answer.status >= 500) return { status: undefined, body }
    return { status: answer.status, body }
  } catch {
    return { status: undefined, body: '' }
  }
}
