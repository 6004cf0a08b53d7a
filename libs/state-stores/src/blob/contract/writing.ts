import { describe, expect, test } from 'vitest'
import { sha256 } from '../hash.ts'
import { bytesOf, expectUsage, name, pieces, readAll, type Lacks, type Start } from './harness.ts'

const large = 600_000

export function describeWriting(start: Start, lacks: Lacks): void {
  describe('writing', () => {
    test('one outcome per small entry, in order; a refused one fails no neighbour', async () => {
      const { store } = await start()
      const [a, b] = [Buffer.from('a'), Buffer.from('b')]
      const outcomes = await store.putSmall([
        { name: name('a'), bytes: a },
        { name: name('wrong'), bytes: a, digest: sha256(b) },
        { name: name('a'), bytes: a, digest: sha256(a) },
        { name: name('big'), bytes: Buffer.alloc(store.inlineBytes + 1) },
        { name: name('a'), bytes: b },
        { name: name('empty'), bytes: Buffer.alloc(0) },
      ])
      expect(outcomes).toEqual([
        { outcome: 'created', digest: sha256(a), sizeBytes: 1 },
        { outcome: 'mismatch', digest: sha256(a) },
        { outcome: 'exists', digest: sha256(a), sizeBytes: 1 },
        { outcome: 'too-large', limitBytes: store.inlineBytes },
        { outcome: 'replaced', digest: sha256(b), sizeBytes: 1 },
        { outcome: 'created', digest: sha256(Buffer.alloc(0)), sizeBytes: 0 },
      ])
      expect(await store.stat(['a', 'wrong', 'big', 'empty'].map((key) => name(key)))).toEqual([
        { digest: sha256(b), sizeBytes: 1 },
        undefined,
        undefined,
        { digest: sha256(Buffer.alloc(0)), sizeBytes: 0 },
      ])
    })

    test.each([0, 1, 65_536, 65_537, large])('a stream of %i bytes is created, then exists', async (length) => {
      const { store } = await start()
      const bytes = bytesOf(1, length)
      const put = () => store.put({ name: name('k'), digest: sha256(bytes) }, pieces(bytes, 50_000))
      expect(await put()).toEqual({ outcome: 'created', digest: sha256(bytes), sizeBytes: length })
      expect(await put()).toEqual({ outcome: 'exists', digest: sha256(bytes), sizeBytes: length })
      expect((await readAll(await store.open(name('k'))))?.equals(bytes)).toBe(true)
    })

    test.each([100, large])('a stream of %i bytes that is not what was promised leaves no trace', async (length) => {
      const { store } = await start()
      const bytes = bytesOf(2, length)
      const outcome = await store.put({ name: name('k'), digest: sha256(Buffer.from('else')) }, pieces(bytes, 1 << 16))
      expect(outcome).toEqual({ outcome: 'mismatch', digest: sha256(bytes) })
      expect(await store.open(name('k'))).toBeUndefined()
      expectUsage(store, { entries: 0, blobs: 0, sizeBytes: 0 })
    })

    test.each([100, large])('a source that fails or is aborted after %i bytes leaves no trace', async (length) => {
      const { store } = await start()
      const bytes = bytesOf(3, length)
      const failing = async function* () {
        yield* pieces(bytes, 1 << 16)
        throw new Error('the line is dead')
      }
      await expect(store.put({ name: name('k') }, failing())).rejects.toThrow('the line is dead')
      const controller = new AbortController()
      let returned = false
      const aborted = async function* () {
        try {
          yield bytes
          controller.abort(new Error('gave up'))
          yield bytes
        } finally {
          returned = true
        }
      }
      await expect(store.put({ name: name('k') }, aborted(), controller.signal)).rejects.toThrow('gave up')
      expect(returned).toBe(true)
      expect(await store.open(name('k'))).toBeUndefined()
      expectUsage(store, { entries: 0, blobs: 0, sizeBytes: 0 })
    })

    test('more than the limit is refused, without reading the rest', async () => {
      const { store } = await start({ maxBlobBytes: 100_000 })
      let read = 0
      const endless = async function* () {
        for (;;) yield Buffer.alloc((read += 40_000) && 40_000)
      }
      expect(await store.put({ name: name('k') }, endless())).toEqual({ outcome: 'too-large', limitBytes: 100_000 })
      expect(read).toBeLessThan(200_000)
      expect(await store.stat([name('k')])).toEqual([undefined])
    })

    test.runIf(lacks.has('usage'))('a quota that cannot be kept is refused', async () => {
      await expect(start({ quotaBytes: 100_000 })).rejects.toThrow('quota')
    })

    test.skipIf(lacks.has('usage'))(
      'the quota counts each blob once; beyond it an entry is full, and room comes back',
      async () => {
        const { store } = await start({ quotaBytes: 100_000 })
        const [a, b] = [bytesOf(1, 60_000), bytesOf(2, 60_000)]
        const outcomes = await store.putSmall([
          { name: name('a'), bytes: a },
          { name: name('b'), bytes: b },
          { name: name('again', 'other'), bytes: a },
          { name: name('small'), bytes: b.subarray(0, 10) },
        ])
        expect(outcomes.map(({ outcome }) => outcome)).toEqual(['created', 'full', 'created', 'created'])
        expect(await store.put({ name: name('large') }, [bytesOf(3, 90_000)])).toEqual({ outcome: 'full' })
        expect(await store.stat([name('large')])).toEqual([undefined])
        expectUsage(store, { entries: 3, blobs: 2, sizeBytes: 60_010, quotaBytes: 100_000 })
        await store.remove([name('a'), name('again', 'other')])
        expect((await store.put({ name: name('large') }, [bytesOf(3, 90_000)])).outcome).toBe('created')
      },
    )

    test('names that no store takes are refused', async () => {
      const { store } = await start()
      for (const bad of [name('k', 'UPPER'), name('k', ''), name(''), name('x'.repeat(1025))]) {
        await expect(store.putSmall([{ name: bad, bytes: Buffer.from('a') }])).rejects.toThrow(RangeError)
        await expect(store.put({ name: bad }, [])).rejects.toThrow(RangeError)
        await expect(store.open(bad)).rejects.toThrow(RangeError)
      }
    })

    test('a closed store writes nothing', async () => {
      const { store } = await start()
      await store.close()
      await expect(store.putSmall([{ name: name('k'), bytes: Buffer.from('a') }])).rejects.toThrow('closed')
      await expect(store.put({ name: name('k') }, [Buffer.from('a')])).rejects.toThrow('closed')
      await expect(store.remove([name('k')])).rejects.toThrow('closed')
    })
  })
}
