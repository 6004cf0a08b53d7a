import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DigestMismatchError, sha256, verified } from './digest.ts'

test('the examples of FIPS 180-4', () => {
  expect(sha256('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  expect(sha256(new Uint8Array())).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
})

async function all(source: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = []
  for await (const piece of source) pieces.push(piece)
  return pieces
}

test('a stream in any pieces passes when it is the content, and ends in an error when one bit differs', async () => {
  const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }), { minLength: 1, maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(pieces, fc.nat(), async (content, at) => {
      const digest = sha256(Buffer.concat(content))
      const passed = await all(verified(content, digest))
      expect(Buffer.concat(passed)).toEqual(Buffer.concat(content))
      const damaged = Buffer.concat(content)
      damaged[at % damaged.length] = (damaged[at % damaged.length] ?? 0) ^ 1
      await expect(all(verified([damaged], digest))).rejects.toThrow(DigestMismatchError)
    }),
  )
})
