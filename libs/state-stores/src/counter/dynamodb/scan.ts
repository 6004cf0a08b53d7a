import { QueryCommand, type DynamoDBClient, type QueryCommandInput } from '@aws-sdk/client-dynamodb'
import { isLive } from '../fold.ts'
import type { Counter, ScanOptions } from '../port.ts'
import { decodeCounter, type Item } from './items.ts'

/** Namespace after namespace, each by name: a query each, and one for every hundred namespaces. */
export async function scanCounters(
  client: DynamoDBClient,
  table: string,
  options: ScanOptions,
  nowMs: number,
): Promise<Counter[]> {
  const { prefix = '', after = '', limit } = options
  const first = after > prefix ? after : prefix
  const from = first.includes('/') ? first.slice(0, first.indexOf('/') + 1) : first
  const found: Counter[] = []
  for await (const item of query(client, table, 'namespaces', from)) {
    const namespace = item['sk']?.S ?? ''
    if (found.length >= limit) break
    if (!namespace.startsWith(prefix) && !prefix.startsWith(namespace)) {
      if (namespace > prefix) break
      continue
    }
    const rest = first.startsWith(namespace) ? first.slice(namespace.length) : ''
    const names = query(client, table, `counters#${namespace.slice(0, -1)}`, rest)
    for await (const each of names) {
      const name = namespace + (each['sk']?.S ?? '')
      if (found.length >= limit || (name > prefix && !name.startsWith(prefix))) break
      const { counter } = decodeCounter(name, each)
      if (name > after && name.startsWith(prefix) && counter !== undefined && isLive(counter, nowMs))
        found.push(counter)
    }
  }
  return found
}

/** The items of a partition in the order of their sort keys, from `from` on. */
async function* query(client: DynamoDBClient, table: string, partition: string, from: string): AsyncGenerator<Item> {
  const bound = from !== ''
  const input: QueryCommandInput = {
    TableName: table,
    ConsistentRead: true,
    Limit: 100,
    KeyConditionExpression: bound ? 'pk = :pk AND sk >= :from' : 'pk = :pk',
    ExpressionAttributeValues: { ':pk': { S: partition }, ...(bound && { ':from': { S: from } }) },
  }
  let start: Item | undefined
  do {
    const page = await client.send(new QueryCommand({ ...input, ...(start && { ExclusiveStartKey: start }) }))
    yield* page.Items ?? []
    start = page.LastEvaluatedKey
  } while (start !== undefined)
}
