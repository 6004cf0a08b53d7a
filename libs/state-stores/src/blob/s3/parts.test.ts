import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { bytesOf, name, pieces, readAll } from '../contract/harness.ts'
import { sha256 } from '../hash.ts'
import { DamagedBlobError, type BlobStore, type Damage } from '../port.ts'
import { s3BlobStore } from '../s3.ts'
import { Bucket } from './bucket.ts'
import { createClient } from './client.ts'
import { parseS3Url } from './target.ts'
import { bucketUrl } from './test-bucket.ts'
import { partBytes } from './upload.ts'

await describeOnBackend('s3', ({ url }) => {
  const bucket = bucketUrl(url)
  const key = name('k')
  const large = bytesOf(1, 2 * partBytes + 300_001)
  const digest = sha256(large)
  beforeAll(async () => (await s3BlobStore({ url: bucket() })).close())

  const start = async (prefix: string, onDamage?: (damage: Damage) => void): Promise<BlobStore> => {
    const store = await s3BlobStore({ url: bucket(prefix), timeoutMs: 15_000, ...(onDamage && { onDamage }) })
    onTestFinished(() => store.close())
    return store
  }
  const keys = async (prefix: string): Promise<string[]> => {
    const all = new Bucket(parseS3Url(bucket(prefix)), 15_000)
    onTestFinished(() => all.close())
    return (await all.list('', undefined, 100)).keys.map((each) => each.replace(/[0-9a-f]{32}$/, '*'))
  }
  const uploads = async (): Promise<number> => {
    const target = parseS3Url(bucket())
    const client = createClient(target, 15_000)
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: target.bucket }))
    client.destroy()
    return Uploads.length
  }

  test('what must be new is not replaced by what came in parts, and leaves nothing', async () => {
    const store = await start('new')
    const put = (bytes: Buffer) => store.put({ name: key, onlyIfNew: true }, pieces(bytes, 1_000_000))
    const both = await Promise.all([put(large), put(large.subarray(1))])
    expect(both.map(({ outcome }) => outcome).toSorted()).toEqual(['created', 'taken'])
    const won = both[0].outcome === 'created' ? large : large.subarray(1)
    expect(await put(large.subarray(2))).toEqual({ outcome: 'taken', digest: sha256(won) })
    expect((await put(won)).outcome).toBe('exists')
    expect((await readAll(await store.open(key)))?.equals(won)).toBe(true)
    expect(await keys('new')).toEqual(['entries/test/k', 'hashes/*', 'probe'])
    expect(await uploads()).toBe(0)
  })

  test('what is larger than a part is one object, with its hashes beside it', async () => {
    const store = await start('large')
    const put = () => store.put({ name: key, digest }, pieces(large, 100_000))
    expect(await put()).toEqual({ outcome: 'created', digest, sizeBytes: large.length })
    expect(await put()).toEqual({ outcome: 'exists', digest, sizeBytes: large.length })
    expect(await keys('large')).toEqual(['entries/test/k', 'hashes/*', 'probe'])
    expect(await store.stat([key])).toEqual([{ digest, sizeBytes: large.length }])
    expect((await readAll(await store.open(key)))?.equals(large)).toBe(true)
    const range = { start: partBytes - 5, end: partBytes + 5 }
    expect((await readAll(await store.open(key, range)))?.equals(large.subarray(range.start, range.end))).toBe(true)
    expect((await store.put({ name: key }, [large.subarray(1)])).outcome).toBe('replaced')
    expect(await keys('large')).toEqual(['entries/test/k', 'hashes/*', 'probe'])
    expect(await store.remove([key])).toEqual(['removed'])
    expect(await keys('large')).toEqual(['probe'])
    expect(await uploads()).toBe(0)
  })

  test('a large source that is wrong, fails or is too large is never visible, and leaves no upload', async () => {
    const store = await start('none')
    const failing = async function* () {
      yield* pieces(large, 1 << 20)
      throw new Error('the line is dead')
    }
    expect((await store.put({ name: key, digest: sha256(Buffer.from('else')) }, [large])).outcome).toBe('mismatch')
    await expect(store.put({ name: key }, failing())).rejects.toThrow('the line is dead')
    const limited = await s3BlobStore({ url: bucket('none'), maxBlobBytes: 10_000_000 })
    onTestFinished(() => limited.close())
    expect((await limited.put({ name: key }, pieces(large, 1 << 20))).outcome).toBe('too-large')
    expect(await store.stat([key])).toEqual([undefined])
    expect(await keys('none')).toEqual(['probe'])
    expect(await uploads()).toBe(0)
  })

  test('of many writers of one new name one is told that he made it', async () => {
    const stores = [await start('many'), await start('many')]
    for (let round = 0; round < 8; round++) {
      const to = name(`${round}`)
      const outcomes = await Promise.all(
        Array.from({ length: 16 }, async (_, index) => stores[index % 2]?.put({ name: to }, [Buffer.from('same')])),
      )
      expect(outcomes.map((each) => each?.outcome).filter((each) => each === 'created')).toHaveLength(1)
    }
  })

  test('a flipped bit in a later part cuts the body off, is reported once, and goes when the bytes are put again', async () => {
    const found: Damage[] = []
    const store = await start('damage', (damage) => void found.push(damage))
    await store.put({ name: key }, [large])
    const other = new Bucket(parseS3Url(bucket('damage')), 15_000)
    onTestFinished(() => other.close())
    const stored = await other.head('entries/test/k')
    const bad = Buffer.from(large)
    bad.writeUInt8(bad.readUInt8(partBytes + 7) ^ 1, partBytes + 7)
    await other.put('entries/test/k', bad, stored?.metadata ?? {}, false)

    const given: Buffer[] = []
    const blob = await store.open(key)
    await expect(
      (async () => {
        for await (const piece of blob?.body() ?? []) given.push(piece)
      })(),
    ).rejects.toThrow(DamagedBlobError)
    const before = Buffer.concat(given)
    expect(before.equals(large.subarray(0, partBytes))).toBe(true)
    await expect((await start('damage')).open(key)).rejects.toThrow('found earlier')
    expect(found).toHaveLength(1)
    // Told by another process than the one that found it.
    expect((await (await start('damage')).put({ name: key }, [large])).outcome).toBe('exists')
    expect((await readAll(await store.open(key)))?.equals(large)).toBe(true)
    expect(await keys('damage')).toEqual(['entries/test/k', 'hashes/*', 'probe'])
  })

  test('an object that is cut off is damage, and an object of something else is left alone', async () => {
    const store = await start('cut')
    await store.put({ name: key }, [bytesOf(2, 700_000)])
    const other = new Bucket(parseS3Url(bucket('cut')), 15_000)
    onTestFinished(() => other.close())
    const stored = await other.head('entries/test/k')
    await other.put('entries/test/k', bytesOf(2, 300_000), stored?.metadata ?? {}, false)
    await expect(store.open(key).then(readAll)).rejects.toThrow(DamagedBlobError)
    await other.put('entries/test/foreign', Buffer.from('precious'), {}, false)
    await expect(store.open(name('foreign'))).rejects.toThrow('is it of something else?')
    await expect(store.put({ name: name('foreign') }, [Buffer.from('x')])).rejects.toThrow('is it of something else?')
    expect((await other.head('entries/test/foreign'))?.sizeBytes).toBe(8)
  })
})
