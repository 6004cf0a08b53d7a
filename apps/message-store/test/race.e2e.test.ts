import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { isLinearizable, type Call } from './linearizable.ts'
import { startMessageStore } from './message-store-process.ts'
import { get, post, remove, sha256 } from './messages-client.ts'

const small = Array.from({ length: 4 }, (_, index) => `message ${index}`)
const large = Array.from({ length: 3 }, (_, index) => `${index}`.repeat(100_000 + index))
const callsPerClient = 25
const clients = 5

/** Deterministic, so that a failure can be run again. */
function randomOf(seed: number): () => number {
  let state = seed
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32
}

test(
  'POST, GET and DELETE of one message by many clients through two processes on one folder are linearizable',
  { timeout: 90_000 },
  async () => {
    await using folder = await temporaryFolder()
    await using first = await startMessageStore(folder.path)
    await using second = await startMessageStore(folder.path)
    const urls = [first.url, second.url]

    const call = async (message: string, random: () => number): Promise<Call> => {
      const digest = sha256(message)
      const url = urls[Math.floor(random() * 2)] ?? first.url
      const choice = random()
      const startedMs = performance.now()
      if (choice < 0.4) {
        const status = await post(url, message)
        return answered('put', status === undefined ? undefined : status === 200, startedMs)
      }
      if (choice < 0.7) {
        const status = await remove(url, digest)
        return answered('remove', status === undefined ? undefined : status === 200, startedMs)
      }
      const { status, body } = await get(url, digest)
      if (status === 200 && body !== `{"message": ${JSON.stringify(message)}}`) throw new Error('not what was written')
      return answered('get', status === undefined ? undefined : status === 200, startedMs)
    }

    for (const [index, message] of [...small, ...large].entries()) {
      const histories = await Promise.all(
        Array.from({ length: clients }, async (_, client) => {
          const random = randomOf(index * 100 + client)
          const calls: Call[] = []
          for (let count = 0; count < callsPerClient; count++) calls.push(await call(message, random))
          return calls
        }),
      )
      const history = histories.flat()
      expect(history.filter(({ found }) => found === undefined)).toEqual([])
      expect(isLinearizable(history), `message ${index}: ${JSON.stringify(history)}`).toBe(true)
    }
  },
)

function answered(kind: Call['kind'], found: boolean | undefined, startedMs: number): Call {
  return { kind, found, startedMs, endedMs: found === undefined ? Infinity : performance.now() }
}
