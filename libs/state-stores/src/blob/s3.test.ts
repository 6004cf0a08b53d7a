import { randomUUID } from 'node:crypto'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { describeBlobContract } from './contract.ts'
import { bucketUrl, flipBit } from './s3/test-bucket.ts'
import { s3BlobStore } from './s3.ts'

await describeOnBackend('s3', ({ url }) => {
  const bucket = bucketUrl(url)

  describeBlobContract(
    's3',
    async (options) => {
      const target = bucket(randomUUID())
      const another = () => s3BlobStore({ ...options, url: target, timeoutMs: 15_000 })
      return { store: await another(), another, damage: (digest, at) => flipBit(target, digest, at) }
    },
    {
      durable: true,
      shared: true,
      lacks: [
        'one-copy',
        'usage',
        'one-commit',
        'exact-outcomes',
        'linearizable-remove',
        'policies',
        'scrub',
        'namespaces',
        'long-keys',
      ],
    },
  )
})
