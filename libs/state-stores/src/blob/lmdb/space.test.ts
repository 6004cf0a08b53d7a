import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { sha256 } from '../hash.ts'
import { lmdbBlobStore } from '../lmdb.ts'
import type { SmallEntry } from '../port.ts'

/** More take a smaller share of space, for the pages that commits leave free weigh less: MESSAGES=10000000 shows it. */
const messages = Number(process.env['MESSAGES'] ?? 10_000)
/** As many as would wait for a commit at that size, so that it does not take all day. */
const perCommit = messages < 1_000_000 ? 40 : 10_000
/** Bounds a hang. */
const timeout = 120_000 + messages
const sizeBytes = 100

function message(index: number): SmallEntry {
  const bytes = Buffer.from(`${index} `.padEnd(sizeBytes, '-'))
  const digest = sha256(bytes)
  return { name: { namespace: 'messages', key: digest }, digest, bytes }
}

test(`${messages} messages of 100 bytes take 3 times their bytes at most`, { timeout }, async ({ annotate }) => {
  await using folder = await temporaryFolder()
  {
    await using store = await lmdbBlobStore({ path: folder.path })
    for (let first = 0; first < messages; first += perCommit) {
      await store.putSmall(Array.from({ length: perCommit }, (_, index) => message(first + index)))
    }
  }
  const { blocks } = await stat(join(folder.path, 'data.mdb'))
  const times = (blocks * 512) / (messages * sizeBytes)
  const startedMs = performance.now()
  await using store = await lmdbBlobStore({ path: folder.path })
  const startMs = performance.now() - startedMs
  await annotate(`${times.toFixed(2)} times their bytes; opened in ${startMs.toFixed(0)} ms`)
  expect(store.usage()).toMatchObject({ entries: messages })
  expect(times).toBeLessThan(3)
  expect(startMs).toBeLessThan(2_000)
})
