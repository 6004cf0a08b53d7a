import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { BucketLocationConstraint, S3Client } from '@aws-sdk/client-s3'
import type { S3Target } from './target.ts'

const agent = { keepAlive: true, maxSockets: 128 }

/** One attempt per request. `checksums` are those of the SDK; what we read we verify by our own hashes. */
export function createClient(target: S3Target, timeoutMs: number): S3Client {
  const { region, endpoint, credentials, pathStyle, checksums, ca } = target
  return new S3Client({
    region,
    ...(endpoint && { endpoint }),
    ...(credentials && { credentials }),
    forcePathStyle: pathStyle,
    maxAttempts: 1,
    requestChecksumCalculation: checksums,
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: timeoutMs,
      httpAgent: new HttpAgent(agent),
      httpsAgent: new HttpsAgent({ ...agent, ...(ca !== undefined && { ca }) }),
    },
  })
}

/** Undefined for us-east-1, which has no name here, and for regions that other servers made up. */
export function locationOf(region: string): BucketLocationConstraint | undefined {
  return Object.values(BucketLocationConstraint).find((location) => location === region)
}
