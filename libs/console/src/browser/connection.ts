import { readEvents, type StreamEvent } from '../read-events.ts'

export type Link =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'open' }
  | { readonly kind: 'lost'; readonly why: string }
  /** Nothing is tried again before there is another token. */
  | { readonly kind: 'refused'; readonly why: string }

const retryMs = 1_000
/** Samples come twice a second; a stream that is silent for so long hangs. */
const silenceMs = 8_000

const tokenKey = 'ballast-token'
export const token = (): string => sessionStorage.getItem(tokenKey) ?? ''

/** Of this tab only; it goes with it. */
export function keepToken(text: string): void {
  if (text === '') sessionStorage.removeItem(tokenKey)
  else sessionStorage.setItem(tokenKey, text)
}

export const credentials = (): Record<string, string> => (token() === '' ? {} : { authorization: `Bearer ${token()}` })

/** Reads the stream until it is stopped, and comes back whenever it ends, so that a restart needs no reload. */
export function connect(url: string, heard: (event: StreamEvent) => void, link: (link: Link) => void): () => void {
  let running: AbortController | undefined
  let again: ReturnType<typeof setTimeout> | undefined
  const read = async (): Promise<void> => {
    const abort = new AbortController()
    running = abort
    let silence = setTimeout(() => abort.abort(new Error('nothing was heard for 8 s')), silenceMs)
    const alive = (): void => {
      clearTimeout(silence)
      silence = setTimeout(() => abort.abort(new Error('nothing was heard for 8 s')), silenceMs)
    }
    try {
      const response = await fetch(url, { headers: credentials(), signal: abort.signal, cache: 'no-store' })
      if (response.status === 401 || response.status === 403) {
        link({
          kind: 'refused',
          why: response.status === 401 ? 'needs a valid token' : 'the token does not reach this',
        })
        return
      }
      if (!response.ok || response.body === null) throw new Error(`answers ${response.status}`)
      link({ kind: 'open' })
      for await (const event of readEvents(textOf(response.body, alive))) heard(event)
      throw new Error('the stream ended')
    } catch (error) {
      if (stopped) return
      link({ kind: 'lost', why: error instanceof Error ? error.message : String(error) })
      again = setTimeout(() => void read(), retryMs)
    } finally {
      clearTimeout(silence)
      abort.abort()
    }
  }
  let stopped = false
  void read()
  return () => {
    stopped = true
    clearTimeout(again)
    running?.abort()
  }
}

async function* textOf(body: ReadableStream<Uint8Array>, alive: () => void): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  const reader = body.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    alive()
    yield decoder.decode(value, { stream: true })
  }
}
