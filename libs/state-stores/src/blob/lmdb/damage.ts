import { glob, open } from 'node:fs/promises'
import { join } from 'node:path'
import { openLmdb } from '../../lmdb-environment.ts'
import type { Digest } from '../port.ts'

/** For tests: flips one bit of a blob at rest, in its file or in its record. */
export async function flipBit(path: string, digest: Digest, at: number): Promise<void> {
  for await (const name of glob(`files/*/${digest}-*`, { cwd: path })) {
    await using file = await open(join(path, name), 'r+')
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at)
    await file.write(
      buffer.map((byte) => byte ^ 1),
      0,
      1,
      at,
    )
    return
  }
  await using environment = await openLmdb({ path })
  const blobs = environment.table('blobs')
  await environment.transact(() => {
    const record = blobs.get(Buffer.from(digest, 'hex'))
    const bytes = record?.[inlineAt + at]
    if (record === undefined || bytes === undefined) throw new Error(`no byte ${at} of ${digest}`)
    record[inlineAt + at] = bytes ^ 1
    blobs.put(Buffer.from(digest, 'hex'), record)
  })
}

/** Where the bytes begin in an inline record. */
const inlineAt = 12
