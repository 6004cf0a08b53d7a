import { Agent, request } from 'node:http'

/** What the clients of a test have been told. */
export interface Told {
  /** Ids in answers with 200, in order of arrival. */
  readonly acknowledged: string[]
  /** Requests that were definitely refused: 503. */
  refused: number
  /** Requests whose answer did not arrive, or said that it is unknown. */
  unknown: number
  /** What was seen instead, each kind once. */
  why?: Set<string>
}

export interface Answer {
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
  readonly body: string
}

export function get(url: string, agent?: Agent, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, timeout: 60_000, ...(agent === undefined ? {} : { agent }) }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (body += chunk))
      response.once('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
      response.once('error', reject)
    })
    sent.once('timeout', () => sent.destroy(new Error('no answer within 60 s')))
    sent.once('error', reject)
    sent.end()
  })
}

/** Closed-loop clients on kept-alive connections, until the signal aborts; they go on through refused connections. */
export async function load(urlOf: () => string, clients: number, told: Told, signal: AbortSignal): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients })
  const client = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        const { status, body } = await get(`${urlOf()}/api/data`, agent)
        if (status === 200) told.acknowledged.push(...idsOf(body))
        else if (status === 503) told.refused++
        else missed(told, `${status} ${body}`)
      } catch (error) {
        if (!isRefusedConnection(error)) missed(told, String(error))
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
  agent.destroy()
}

function missed(told: Told, why: string): void {
  told.unknown++
  ;(told.why ??= new Set()).add(why)
}

export function idsOf(body: string): string[] {
  const answer: unknown = JSON.parse(body)
  if (typeof answer !== 'object' || answer === null || !('writes' in answer) || !Array.isArray(answer.writes)) {
    throw new Error(`no writes in ${body}`)
  }
  return answer.writes.map(String)
}

/** Nothing was sent: the request cannot have had an effect. */
function isRefusedConnection(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED'
}
