import { sentence } from '../process/sentence.ts'

type Item = readonly [id: number, topic: string, body: unknown]
type Answer = readonly [id: number, ok: boolean, value: unknown]

/** What goes between two processes. Anything cloneable may be in it, bigint included. */
export interface Message {
  readonly asked?: readonly Item[]
  readonly answered?: readonly Answer[]
}

export interface PeerOptions {
  /** May drop it when the other process is gone; then `fail` is to be called. */
  readonly send: (message: Message) => void
  readonly answer: (topic: string, body: unknown) => Promise<unknown>
}

/**
 * Questions and answers between two processes, in the order they were asked. What is asked, or answered, in one turn of
 * the event loop goes as one message: a message costs far more than a question in it.
 */
export class Peer {
  readonly #options: PeerOptions
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  #lastId = 0
  #asked: Item[] = []
  #answered: Answer[] = []

  constructor(options: PeerOptions) {
    this.#options = options
  }

  /** Rejects with what the other side threw, as one sentence, or when the other side is gone. */
  ask(topic: string, body: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId
      this.#waiting.set(id, { resolve, reject })
      this.#asked.push([id, topic, body])
      this.#flushSoon()
    })
  }

  receive(message: unknown): void {
    if (!isMessage(message)) return
    for (const [id, ok, value] of message.answered ?? []) {
      const waiting = this.#waiting.get(id)
      this.#waiting.delete(id)
      if (ok) waiting?.resolve(value)
      else waiting?.reject(new Error(String(value)))
    }
    for (const item of message.asked ?? []) void this.#reply(item)
  }

  /** The other side will not answer any more. */
  fail(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }

  async #reply([id, topic, body]: Item): Promise<void> {
    let answer: Answer
    try {
      answer = [id, true, await this.#options.answer(topic, body)]
    } catch (error) {
      answer = [id, false, sentence(error)]
    }
    this.#answered.push(answer)
    this.#flushSoon()
  }

  #flushSoon(): void {
    if (this.#asked.length + this.#answered.length === 1) setImmediate(() => this.#flush())
  }

  #flush(): void {
    const [asked, answered] = [this.#asked, this.#answered]
    this.#asked = []
    this.#answered = []
    this.#options.send({ ...(asked.length > 0 && { asked }), ...(answered.length > 0 && { answered }) })
  }
}

/** Both ends are the same program: whatever has one of the lists is ours, other messages are not. */
function isMessage(message: unknown): message is Message {
  if (typeof message !== 'object' || message === null) return false
  return (
    ('asked' in message && Array.isArray(message.asked)) || ('answered' in message && Array.isArray(message.answered))
  )
}
