import {
  CreateTableCommand,
  DescribeTableCommand,
  PutItemCommand,
  GetItemCommand,
  ResourceInUseException,
  ResourceNotFoundException,
  UpdateTimeToLiveCommand,
  waitUntilTableExists,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  type TableDescription,
} from '@aws-sdk/client-dynamodb'
import { formatKey, formatVersion } from './items.ts'

/** Its message ends a sentence on the server. */
export class UnusableTableError extends Error {}

/** Makes the table when there is none; rejects with what is wrong with one that is not ours. */
export async function prepareTable(client: DynamoDBClient, table: string): Promise<void> {
  const found = await describe(client, table)
  if (found === undefined) await create(client, table)
  else check(found, table)
  await checkFormat(client, table)
}

async function describe(client: DynamoDBClient, table: string): Promise<TableDescription | undefined> {
  try {
    return (await client.send(new DescribeTableCommand({ TableName: table }))).Table
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined
    throw error
  }
}

async function create(client: DynamoDBClient, table: string): Promise<void> {
  try {
    await client.send(
      new CreateTableCommand({
        TableName: table,
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
        AttributeDefinitions: [
          { AttributeName: 'pk', AttributeType: 'S' },
          { AttributeName: 'sk', AttributeType: 'S' },
        ],
      }),
    )
  } catch (error) {
    // Another process makes it at this moment.
    if (!(error instanceof ResourceInUseException)) throw error
  }
  await waitUntilTableExists({ client, maxWaitTime: 60, minDelay: 1, maxDelay: 2 }, { TableName: table })
  await client
    .send(
      new UpdateTimeToLiveCommand({
        TableName: table,
        TimeToLiveSpecification: { Enabled: true, AttributeName: 'ttl' },
      }),
    )
    .catch((error: unknown) => {
      // The process that made the table has done it. Without it tokens only stay longer than they count.
      if (!(error instanceof Error && error.name === 'ValidationException')) throw error
    })
}

function check({ KeySchema = [], TableStatus }: TableDescription, table: string): void {
  const keys = KeySchema.map(({ AttributeName, KeyType }) => `${KeyType} ${AttributeName}`).join(', ')
  if (keys !== 'HASH pk, RANGE sk')
    throw new UnusableTableError(
      `its table ${table} has the key (${keys}) and not (HASH pk, RANGE sk): name another table`,
    )
  if (TableStatus === 'DELETING')
    throw new UnusableTableError(`its table ${table} is being deleted: wait, or name another table`)
}

async function checkFormat(client: DynamoDBClient, table: string): Promise<void> {
  try {
    await client.send(
      new PutItemCommand({
        TableName: table,
        Item: { ...formatKey, version: { N: formatVersion } },
        ConditionExpression: 'attribute_not_exists(pk)',
      }),
    )
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error
    const { Item } = await client.send(new GetItemCommand({ TableName: table, Key: formatKey, ConsistentRead: true }))
    const version = Item?.['version']?.N
    if (version === formatVersion) return
    throw new UnusableTableError(
      `its table ${table} has format ${version}, and this release knows ${formatVersion}: upgrade this service, or name another table`,
      { cause: error },
    )
  }
}
