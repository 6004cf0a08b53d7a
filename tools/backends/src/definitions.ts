import type { BackendDefinition, BackendKind } from './backend.ts'
import { cassandra } from './cassandra.ts'
import { dynamodb } from './dynamodb.ts'
import { mongodb } from './mongodb.ts'
import { postgres } from './postgres.ts'
import { redis } from './redis.ts'
import { s3 } from './s3.ts'

export const definitions: Readonly<Record<BackendKind, BackendDefinition>> = {
  cassandra,
  dynamodb,
  mongodb,
  postgres,
  redis,
  s3,
}
