import { DeleteTableCommand } from '@aws-sdk/client-dynamodb'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { ownNamespaceOfTest } from '@ballast/backends/own-namespace'
import { testAgainstMemory } from './contract/differential.ts'
import { describeCounterContract, type CounterHarness, type HarnessOptions } from './contract.ts'
import { dynamoCounterStore } from './dynamodb.ts'
import { dynamoClient } from './dynamodb/client.ts'
import { parseDynamoUrl } from './dynamodb/url.ts'

const runs = Number(process.env['COUNTER_MODEL_RUNS'] ?? 15)

await describeOnBackend('dynamodb', (backend) => {
  const start = async (limits: HarnessOptions = {}): Promise<CounterHarness> => {
    const inTable = (table: string): string => backend.url.replace('?', `/${table}?`)
    const url = inTable(ownNamespaceOfTest(backend.url, (table) => forget(inTable(table))))
    // Not in the past: DynamoDB's own time to live goes by the real clock and would remove what the test still wants.
    let nowMs = Date.now()
    const now = (): number => nowMs
    const open = () => dynamoCounterStore({ ...limits, url, now })
    const store = await open()
    const pass = async (durationMs: number): Promise<void> => void (nowMs += durationMs)
    const reopen = async () => {
      await store.close()
      return open()
    }
    return { store, nowMs: now, pass, reopen }
  }
  describeCounterContract('dynamodb', start, { atomicity: 'counter', durable: true, clock: 'process' })
  testAgainstMemory(start, runs, { atomicity: 'counter' })
})

async function forget(url: string): Promise<void> {
  const target = parseDynamoUrl(url, '')
  const client = dynamoClient(target, { timeoutMs: 10_000 })
  await client.send(new DeleteTableCommand({ TableName: target.table }))
  client.destroy()
}
