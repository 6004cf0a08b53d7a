import { createHash, hash } from 'node:crypto'

/** SHA-256 (FIPS 180-4) in lower-case hexadecimal, 64 characters. Text is hashed as UTF-8. */
export function sha256(content: Uint8Array | string): string {
  return hash('sha256', content, 'hex')
}

/** The bytes were not those of the digest, or more or fewer than announced. */
export class DigestMismatchError extends Error {
  override readonly name = 'DigestMismatchError'
  readonly expected: string
  readonly actual: string

  constructor(expected: string, actual: string) {
    super(`expected the content of ${expected}, but got that of ${actual}`)
    this.expected = expected
    this.actual = actual
  }
}

/**
 * Passes pieces on as they come, and throws after the last one when they are not those of `digest`: whoever reads must not
 * trust, or make visible, what he got before the end. Holds one piece at a time.
 *
 * @param digest lower-case hexadecimal SHA-256.
 * @throws DigestMismatchError at the end of the source.
 */
export async function* verified(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  digest: string,
): AsyncGenerator<Uint8Array, void, void> {
  const running = createHash('sha256')
  for await (const piece of source) {
    running.update(piece)
    yield piece
  }
  const actual = running.digest('hex')
  if (actual !== digest) throw new DigestMismatchError(digest, actual)
}
