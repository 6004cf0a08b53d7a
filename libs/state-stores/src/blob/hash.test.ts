import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { chunkBytes, ChunkHasher, sha256 } from './hash.ts'

test('the pieces a stream comes in do not matter', () => {
  const size = fc.integer({ min: 0, max: 3 * chunkBytes + 7 })
  fc.assert(
    fc.property(size, fc.array(fc.integer({ min: 1, max: 2 * chunkBytes }), { maxLength: 8 }), (length, cuts) => {
      const bytes = Buffer.alloc(length, 'abcdefg')
      const hasher = new ChunkHasher()
      let start = 0
      for (const cut of [...cuts, length]) {
        hasher.update(bytes.subarray(start, start + cut))
        start = Math.min(length, start + cut)
      }
      const { digest, sizeBytes, chunks } = hasher.finish()
      expect([digest, sizeBytes, hasher.sizeBytes]).toEqual([sha256(bytes), length, length])
      const expected = Array.from({ length: Math.ceil(length / chunkBytes) }, (_, index) =>
        createHash('sha256')
          .update(bytes.subarray(index * chunkBytes, (index + 1) * chunkBytes))
          .digest(),
      )
      expect(chunks.equals(Buffer.concat(expected))).toBe(true)
    }),
    { numRuns: 30 },
  )
})
