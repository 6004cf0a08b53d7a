import { createHash } from 'node:crypto'

export const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Something that was sent under a path, and what a GET of that path must give. */
export interface Item {
  readonly path: string
  readonly bytes: Buffer
}

/** An upload of which a part was acknowledged, but not its end. */
export interface Interrupted extends Item {
  readonly location: string
  acknowledgedBytes: number
  /** Its end was asked for, so it may be there. */
  finishing: boolean
}

export type Read = 'whole' | 'missing' | 'wrong' | 'no answer'

/** What was promised, and what was not, over all lives of the server. */
export class History {
  readonly answered: Item[] = []
  readonly unanswered: Item[] = []
  readonly interrupted: Interrupted[] = []
  /** Reads of what was just answered. */
  readonly reads: Read[] = []
  /** Parts that uploads may have left. */
  parts = 0

  /** Every seventh is read again at once. */
  async add(url: string, done: boolean, items: readonly Item[]): Promise<void> {
    for (const item of items) {
      ;(done ? this.answered : this.unanswered).push(item)
      if (done && this.answered.length % 7 === 0) this.reads.push(await read(url, item))
    }
  }
}

/** Undefined when no answer came, or one that leaves open what happened. A body that does not arrive whole is none. */
export async function ask(
  url: string,
  method: string,
  body?: Buffer | string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ status: number; headers: Headers; bytes: Buffer } | undefined> {
  try {
    const init = { method, headers, signal: AbortSignal.timeout(60_000) }
    const answer = await fetch(url, body === undefined ? init : { ...init, body: new Uint8Array(Buffer.from(body)) })
    const bytes = Buffer.from(await answer.arrayBuffer())
    return answer.status >= 500 ? undefined : { status: answer.status, headers: answer.headers, bytes }
  } catch {
    return undefined
  }
}

export async function read(url: string, { path, bytes }: Item): Promise<Read> {
  const answer = await ask(url + path, 'GET')
  if (answer === undefined) return 'no answer'
  if (answer.status === 404) return 'missing'
  return answer.status === 200 && answer.bytes.equals(bytes) ? 'whole' : 'wrong'
}
