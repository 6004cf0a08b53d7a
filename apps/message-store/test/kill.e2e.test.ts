import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder, waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { startMessageStore } from './message-store-process.ts'
import { get, post, sha256 } from './messages-client.ts'

const rounds = Number(process.env['KILL_ROUNDS'] ?? 6)
const clients = 12

/** Every fifth one is large enough to be a file, of a size that is no multiple of a chunk. */
const messageOf = (client: string, index: number): string =>
  `${client}/${index} `.repeat(index % 5 === 0 ? 14_000 + index * 100 : 1 + (index % 50))

type Read = 'whole' | 'missing' | 'wrong' | 'no answer'

async function read(url: string, message: string): Promise<Read> {
  const { status, body } = await get(url, sha256(message))
  if (status === undefined) return 'no answer'
  if (status === 404) return 'missing'
  return status === 200 && body === `{"message": ${JSON.stringify(message)}}` ? 'whole' : 'wrong'
}

class History {
  readonly answered = new Set<string>()
  readonly unanswered = new Set<string>()
  /** Reads of messages that were just answered. */
  readonly reads: Read[] = []

  async load(url: string, client: string, stop: AbortSignal): Promise<void> {
    for (let index = 0; !stop.aborted; index++) {
      const message = messageOf(client, index)
      const status = await post(url, message)
      ;(status === 201 ? this.answered : this.unanswered).add(message)
      if (status === 201 && index % 7 === 0) this.reads.push(await read(url, message))
    }
  }
}

test(
  `killed ${rounds} times under the load of ${clients} clients: no answered message is lost, none is read incomplete`,
  { timeout: 60_000 + rounds * 15_000 },
  async () => {
    await using folder = await temporaryFolder()
    const history = new History()
    const { answered, unanswered } = history
    for (let round = 0; round < rounds; round++) {
      const server = await startMessageStore(folder.path)
      const before = answered.size
      const stop = new AbortController()
      const load = Array.from({ length: clients }, (_, client) =>
        history.load(server.url, `${round}/${client}`, stop.signal),
      )
      // A moment of death that differs from life to life.
      await waitUntil(() => answered.size > before + 40 + ((round * 37) % 90), { timeoutMs: 60_000 })
      server.kill('SIGKILL')
      await expect(server.exit).resolves.toEqual({ code: null, signal: 'SIGKILL' })
      stop.abort()
      await Promise.all(load)
    }
    await using last = await startMessageStore(folder.path)
    for (const message of answered) expect([message.slice(0, 20), await read(last.url, message)]).toContain('whole')
    for (const message of unanswered) expect(['whole', 'missing']).toContain(await read(last.url, message))
    expect(new Set([...history.reads, 'whole', 'no answer'])).toEqual(new Set(['whole', 'no answer']))
    expect(answered.size).toBeGreaterThan(rounds * 40)
    expect(unanswered.size).toBeGreaterThan(0)

    // Nothing is left of the dead but what is readable.
    const living = (await readdir(join(folder.path, 'incoming'))).filter((name) => name.endsWith('.lock'))
    expect(living).toHaveLength(1)
    const files = await readdir(join(folder.path, 'files'), { recursive: true })
    const named = files.filter((file) => /-[0-9a-f]{24}$/.test(file)).length
    expect(named).toBeGreaterThanOrEqual(large(answered))
    expect(named).toBeLessThanOrEqual(large(answered) + large(unanswered))
  },
)

function large(messages: ReadonlySet<string>): number {
  return [...messages].filter((message) => message.length > 65_536).length
}
