import { randomUUID } from 'node:crypto'
import { type Addition, checkHistory } from '@ballast/state-stores/counter/history'
import { increment } from '../chapters/increment.ts'
import { HttpClient } from '../http-client.ts'
import { count } from '../report.ts'
import { isObject } from '../../platform/log-record.ts'
import type { Visit } from '../visit.ts'

const clients = 16
const additionsPerClient = 25
const total = clients * additionsPerClient

/** On a counter of its own, which is removed in the end: other people's additions neither disturb nor are disturbed. */
export const counter: Visit = {
  name: 'counter',
  title: `${clients} clients add 1 ${additionsPerClient} times each to a counter of their own`,

  async run({ url, ca, headers, check }) {
    using client = new HttpClient(url, { connections: clients, headers, ...(ca && { ca }) })
    const path = `/v1/counters/tour/${randomUUID()}`
    let retries = 0
    const additions: Addition[] = []
    const startedMs = performance.now()
    await Promise.all(
      Array.from({ length: clients }, async (_, number) => {
        for (let n = 0; n < additionsPerClient; n++) {
          const key = `${path}-${number}-${n}`
          additions.push(await increment(client, { path: `${path}/add`, body: '{}', key, onRetry: () => retries++ }))
        }
      }),
    )
    const seconds = (performance.now() - startedMs) / 1000
    const answer = await client.json(path)
    const final = BigInt(isObject(answer) && typeof answer['value'] === 'string' ? answer['value'] : -1)
    const { violations } = checkHistory({ initial: 0n, additions, final })
    check(
      'the value is the number of distinct keys',
      final === BigInt(total),
      `${count(Number(final))} of ${count(total)}, ${count(total / seconds)} increments/s`,
    )
    check(
      'no acknowledged increment is lost, none is doubled',
      violations.length === 0,
      violations[0] ?? `${count(retries)} repeated requests, 0 violations in the history`,
    )
    const removed = await client.call({ method: 'DELETE', path })
    check('the counter is removed', removed.status === 204, `status ${removed.status}`)
  },
}
