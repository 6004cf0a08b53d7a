import { startBackend } from '@ballast/backends'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { checkHistory } from '@ballast/state-stores/counter/history'
import { waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { addUntilStopped, readUntilStopped } from './clients.ts'
import { startCounterOn, type CounterProcess } from './counter-process.ts'

const rounds = Number(process.env['COUNTER_SERVER_KILL_ROUNDS'] ?? 1)
const clients = 6

/** DynamoDB Local answers a transaction before it survives SIGKILL, so it is ended by SIGTERM (as its own tests say). */
const kinds = [
  ['redis', 'kill'],
  ['postgres', 'kill'],
  ['dynamodb', 'stop'],
] as const

for (const [kind, end] of kinds) {
  await describeOnBackend(kind, () => {
    test(
      `on ${kind}: service and server die in turn (${rounds} times) while ${clients} clients count, and every answer was true`,
      { timeout: 90_000 + rounds * 60_000 },
      async () => {
        await using server = await startBackend(kind, { durability: 'disk' })
        let running: CounterProcess | undefined
        const where = (): string | undefined => running?.url
        const open = () => startCounterOn(server.url, '--store-timeout-ms', '2s')
        const value = async (): Promise<number> => {
          const answer = await fetch(running?.url ?? '', { headers: { accept: 'text/plain' } })
          if (!answer.ok) throw new Error(await answer.text())
          return Number(await answer.text())
        }
        const progress = async (): Promise<void> => {
          const before = await waitUntil(async () => ({ value: await value() }), {
            timeoutMs: 40_000,
            what: 'an answer',
          })
          await waitUntil(async () => (await value()) > before.value + 15, { timeoutMs: 40_000, what: '15 additions' })
        }
        const stop = new AbortController()
        const adding = Array.from({ length: clients }, () => addUntilStopped(where, stop.signal))
        const reading = readUntilStopped(where, stop.signal)
        for (let round = 0; round < rounds; round++) {
          const counter = await open()
          running = counter
          await progress()
          if (end === 'kill') await server.kill()
          await server.restart()
          // The same process finds its server again.
          await progress()
          counter.kill('SIGKILL')
          await expect(counter.exit).resolves.toEqual({ code: null, signal: 'SIGKILL' })
          running = undefined
        }
        await using last = await open()
        running = last
        stop.abort()
        const additions = (await Promise.all(adding)).flat()
        const readings = await reading
        const final = BigInt(await value())
        expect(checkHistory({ initial: 0n, additions, readings, final })).toEqual({
          acknowledged: additions.length,
          unknown: 0,
          violations: [],
        })
        expect(final).toBe(BigInt(additions.length))
        expect(additions.length).toBeGreaterThan(rounds * 30)

        const operations = ['x', 'y'].map((name) => ({ op: 'add', namespace: 'a', name }))
        const batch = await fetch(`${last.url}/v1/batch`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ operations }),
        })
        expect(await batch.json()).toMatchObject({ atomicity: kind === 'dynamodb' ? 'counter' : 'batch' })
        last.kill('SIGTERM')
        await expect(last.exit).resolves.toEqual({ code: 0, signal: null })
      },
    )
  })
}
