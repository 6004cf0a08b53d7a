import { setTimeout as delay } from 'node:timers/promises'
import { type Addition, checkHistory } from '@ballast/state-stores/counter/history'
import type { SupervisedProcess } from '../../platform/supervised-process.ts'
import type { Chapter } from '../chapter.ts'
import { HttpClient } from '../http-client.ts'
import { count } from '../report.ts'
import { increment, valueIn } from './increment.ts'

const clients = 64
const incrementsPerClient = 200
const kills = 3
const total = clients * incrementsPerClient

/** Every increment carries a key of its own and is sent again, with the same key, until it is answered. */
export const counter: Chapter = {
  name: 'counter',
  title: `${clients} clients add 1 ${incrementsPerClient} times each while the counter is killed ${kills} times`,

  async run({ platform, check, progress }) {
    using client = new HttpClient(platform.url('counter'), { connections: clients })
    const additions: Addition[] = []
    let retries = 0
    const onRetry = (): void => void retries++
    const startedMs = performance.now()
    const incrementing = Promise.all(
      Array.from({ length: clients }, async (_, number) => {
        for (let n = 0; n < incrementsPerClient; n++) {
          additions.push(await increment(client, { key: `client-${number}-increment-${n}`, onRetry }))
        }
      }),
    )
    const outagesMs: number[] = []
    for (let kill = 1; kill <= kills; kill++) {
      while (additions.length < (total * kill) / (kills + 1)) await delay(2)
      progress(`  SIGKILL ${kill} of ${kills} after ${additions.length} of ${total} increments`)
      outagesMs.push(await killAndWait(platform.process('counter')))
    }
    await incrementing
    const seconds = (performance.now() - startedMs) / 1000

    const final = await valueOf(client)
    const values = new Set(additions.map(({ value }) => value))
    const { violations } = checkHistory({ initial: 0n, additions, final })
    check(
      'the value is the number of distinct keys',
      final === BigInt(total),
      `${count(Number(final))} of ${count(total)}, ${count(total / seconds)} increments/s, the kills included`,
    )
    check(
      'every answered value is distinct',
      values.size === total,
      `${count(values.size)} values of ${count(total)} answers`,
    )
    check(
      'no acknowledged increment is lost, none is doubled',
      violations.length === 0,
      violations[0] ?? `${count(retries)} repeated requests, 0 violations in the history`,
    )
    check(
      'the counter comes back after every SIGKILL',
      outagesMs.length === kills,
      `${kills} kills, away for ${outagesMs.map((ms) => `${count(ms)} ms`).join(', ')}`,
    )
  },
}

/** Resolves with the time without a ready counter. */
async function killAndWait(process: SupervisedProcess): Promise<number> {
  const restarts = process.restarts
  const killedMs = performance.now()
  process.kill('SIGKILL')
  while (process.restarts === restarts || process.state !== 'ready') await delay(5)
  return performance.now() - killedMs
}

async function valueOf(client: HttpClient): Promise<bigint> {
  return valueIn((await client.call({ method: 'GET', path: '/' })).body)
}
