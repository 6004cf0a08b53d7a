import { randomUUID } from 'node:crypto'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { waitUntil } from '@ballast/testing'
import { expect, onTestFinished, test } from 'vitest'
import { describeLostMessages, describeServerLife, type FaultSuite } from './contract/faults.ts'
import { add, token } from './contract/operations.ts'
import { startSwallowingProxy } from './contract/swallowing-http-proxy.ts'
import { testTwoProcesses } from './contract/two-processes.ts'
import { dynamoCounterStore } from './dynamodb.ts'

const tableUrl = (server: string): string => server.replace('?', `/test-${randomUUID()}?`)

const suite: FaultSuite = {
  kind: 'dynamodb',
  name: /DynamoDB at 127\.0\.0\.1:\d+/,
  lostRequest: 'is applied once',
  // DynamoDB Local 2.6.1 answers a transaction before it survives SIGKILL: bare SDK calls, killed 18 times, lost the last
  // answered transaction 6 times, and no PutItem in 18 more. DynamoDB itself answers when two of three zones have it.
  end: 'stop',
  async path(backend) {
    const target = new URL(backend.url)
    const proxy = await startSwallowingProxy(target, ({ headers }) =>
      String(headers['x-amz-target']).endsWith('TransactWriteItems'),
    )
    onTestFinished(() => proxy[Symbol.asyncDispose]())
    const url = tableUrl(backend.url.replace(`:${target.port}`, `:${proxy.port}`))
    return {
      open: (options) => dynamoCounterStore({ ...options, url }),
      loseAnswer: async () => void (proxy.lose = 'answers'),
      loseRequest: async () => void (proxy.lose = 'requests'),
      lost: async () => void (await waitUntil(() => proxy.lost > 0)),
      heal: async () => void (proxy.lose = 'nothing'),
    }
  },
  open: (server, options) => dynamoCounterStore({ ...options, url: server }),
}

await describeOnBackend('dynamodb', (backend) => {
  describeLostMessages(suite, backend)
  describeServerLife(suite)

  testTwoProcesses(async () => {
    const url = tableUrl(backend.url)
    return () => dynamoCounterStore({ url, resolveMs: 30_000 })
  })

  test('more tokens on one counter than a transaction takes', { timeout: 30_000 }, async () => {
    await using store = await dynamoCounterStore({ url: tableUrl(backend.url) })
    const ops = Array.from({ length: 250 }, (_, index) => add('n/a', 1n, { token: token(`k${index}`) }))
    const outcomes = await store.commit(ops)
    expect(outcomes.map((outcome) => outcome.ok && outcome.value)).toEqual(ops.map((_, index) => BigInt(index + 1)))
    const again = await store.commit(ops)
    expect(again.every((outcome) => outcome.replayed)).toBe(true)
  })
})
