import { BatchGetItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { NotAppliedError } from '../../outcome.ts'
import type { Item } from './items.ts'

const mostKeys = 100
/** What a throttled table has left over is asked for again so often. */
const mostRounds = 8

/** Strongly consistent; in no order, and without those that do not exist. */
export async function batchGet(client: DynamoDBClient, table: string, keys: readonly Item[]): Promise<Item[]> {
  const items: Item[] = []
  for (let start = 0; start < keys.length; start += mostKeys) {
    let wanted: Item[] = keys.slice(start, start + mostKeys)
    for (let round = 0; wanted.length > 0; round++) {
      if (round === mostRounds) throw new NotAppliedError(`the table ${table} is throttled`)
      const RequestItems = { [table]: { Keys: wanted, ConsistentRead: true } }
      const { Responses, UnprocessedKeys } = await client.send(new BatchGetItemCommand({ RequestItems }))
      items.push(...(Responses?.[table] ?? []))
      wanted = UnprocessedKeys?.[table]?.Keys ?? []
    }
  }
  return items
}
