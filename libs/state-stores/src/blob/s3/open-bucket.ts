import { Bucket } from './bucket.ts'
import { reasonOf, statusOf } from './outcome.ts'
import type { S3Target } from './target.ts'

/** Rejects with one sentence that says what is wrong, without the secret. */
export async function openBucket(target: S3Target, timeoutMs: number): Promise<Bucket> {
  const { label, create, bucket: name, region } = target
  const bucket = new Bucket(target, timeoutMs)
  try {
    await bucket.checkBucket().catch(async (error: unknown) => {
      if (causeStatus(error) !== 404) throw error
      if (!create)
        throw new Error(`${label}: there is no bucket "${name}": create it, or have it created with ?create=true`)
      await bucket.createBucket()
    })
    await probe(bucket)
    return bucket
  } catch (error) {
    bucket.close()
    throw new Error(explained(error, label, region), { cause: error })
  }
}

/** Without conditional writes, two writers of one name could both be told that they made it. */
async function probe(bucket: Bucket): Promise<void> {
  const put = () =>
    bucket.put('probe', Buffer.from('conditional writes'), {}, true).catch((error: unknown) => {
      if (causeStatus(error) !== 403) throw error
      throw new Error(`${bucket.label}: these keys only read: let them write to the bucket (status 403)`, {
        cause: error,
      })
    })
  if ((await put()) === 'stored' && (await put()) === 'stored') {
    throw new Error(`${bucket.label}: the server ignores If-None-Match, so it cannot be used`)
  }
}

function explained(error: unknown, label: string, region: string): string {
  const status = causeStatus(error)
  if (status === 401 || status === 403) {
    return `${label}: the server refuses these keys, or they may not use the bucket (status ${status})`
  }
  if (status === 301) return `${label}: the bucket is not in the region "${region}"`
  const reason = reasonOf(error)
  if (/certificate/i.test(reason)) return `${reason}: name the authority to trust with ?ca=<file>`
  return reason
}

function causeStatus(error: unknown): number | undefined {
  return error instanceof Error ? statusOf(error.cause) : undefined
}
