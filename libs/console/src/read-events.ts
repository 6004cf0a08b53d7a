export interface StreamEvent {
  readonly event: string
  readonly data: unknown
}

/** The longest event that is kept; what sends more is no console. */
const maxEventChars = 1_000_000

/**
 * Server-sent events from a body. Not EventSource: that sends no token, and tells no status. Ends with the body, rejects
 * with it, and when something is no event of ours.
 */
export async function* readEvents(body: AsyncIterable<string>): AsyncGenerator<StreamEvent> {
  let rest = ''
  for await (const piece of body) {
    rest += piece
    const parts = rest.split('\n\n')
    rest = parts.pop() ?? ''
    if (rest.length > maxEventChars) throw new Error('an event without an end')
    for (const part of parts) {
      const event = /^event: (.*)$/m.exec(part)?.[1]
      const data = /^data: (.*)$/m.exec(part)?.[1]
      if (event !== undefined && data !== undefined) yield { event, data: JSON.parse(data) as unknown }
    }
  }
}
