import { isRecord } from '../sample.ts'
import { credentials } from './connection.ts'

/** The page stands at `/ui` of a service, wherever a proxy has put that, or at `/` of the launcher. */
const here = location.pathname.replace(/\/(ui)?$/, '')
/** Set on the page of one service. */
export const only = document.documentElement.dataset['service'] ?? ''

export const eventsUrl = `${here}/ui/events`

const baseOf = (service: string): string => (only === '' ? `${here}/${service}` : here)

/** What a service said no to; the message is its own sentence. */
export class Refused extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

export interface CallOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** The answer of a service, with its body as JSON. */
export async function call(
  service: string,
  path: string,
  { method = 'GET', body, headers = {} }: CallOptions = {},
): Promise<{ readonly status: number; readonly headers: Headers; readonly body: unknown }> {
  const response = await fetch(`${service === '' ? here : baseOf(service)}${path}`, {
    method,
    cache: 'no-store',
    headers: { ...credentials(), ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  const answer = parse(text)
  if (!response.ok) throw new Refused(response.status, sentenceOf(answer) ?? `answered ${response.status}`)
  return { status: response.status, headers: response.headers, body: answer }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function sentenceOf(answer: unknown): string | undefined {
  if (!isRecord(answer)) return undefined
  const said = answer['detail'] ?? answer['err_msg'] ?? answer['message'] ?? answer['title']
  return typeof said === 'string' ? said : undefined
}
