import { DeleteBucketCommand } from '@aws-sdk/client-s3'
import { ownNamespace } from '@ballast/backends/own-namespace'
import type { Digest } from '../port.ts'
import { Bucket } from './bucket.ts'
import { createClient } from './client.ts'
import { described } from './described.ts'
import { readExactly } from './read-exactly.ts'
import { parseS3Url } from './target.ts'

/** For tests: URLs into a bucket of the test file's own, by prefix. The first one makes it. */
export function bucketUrl(backendUrl: string): (prefix?: string) => string {
  const urlIn = (bucket: string, prefix: string): string => backendUrl.replace('?', `/${bucket}/${prefix}?create=true&`)
  const bucket = ownNamespace(backendUrl, (name) => dropBucket(urlIn(name, '')))
  return (prefix = '') => urlIn(bucket, prefix)
}

/** Empties and removes it. */
async function dropBucket(url: string): Promise<void> {
  const target = parseS3Url(url)
  const bucket = new Bucket({ ...target, prefix: '' }, 15_000)
  for (let more = true; more;) {
    const page = await bucket.list('', undefined, 500)
    await Promise.all(page.keys.map((key) => bucket.remove(key)))
    more = page.keys.length > 0
  }
  bucket.close()
  await createClient(target, 15_000).send(new DeleteBucketCommand({ Bucket: target.bucket }))
}

/** For tests: flips one bit of an object at rest; its description stays. */
export async function flipBit(url: string, digest: Digest, at: number): Promise<void> {
  const bucket = new Bucket(parseS3Url(url), 15_000)
  const { keys } = await bucket.list('entries/', undefined, 1000)
  for (const key of keys.map((each) => `entries/${each}`)) {
    const found = await bucket.get(key)
    if (found === undefined) continue
    const bytes = await readExactly(found.stream, found.sizeBytes, 15_000, key)
    if (described(found, key).hashes?.digest !== digest) continue
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
    await bucket.put(key, bytes, found.metadata, false)
    bucket.close()
    return
  }
  throw new Error(`no object of ${digest}`)
}
