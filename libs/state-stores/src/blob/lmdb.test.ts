import { spawnSync } from 'node:child_process'
import { mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startProcess, temporaryFolder, waitUntil } from '@ballast/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { describeBlobContract } from './contract.ts'
import { bytesOf, name, readAll } from './contract/harness.ts'
import { sha256 } from './hash.ts'
import { flipBit } from './lmdb/damage.ts'
import { lmdbBlobStore } from './lmdb.ts'
import { openBlobStore } from './open.ts'
import { DamagedBlobError } from './port.ts'

describeBlobContract(
  'lmdb',
  async (options) => {
    const folder = await temporaryFolder()
    onTestFinished(() => folder[Symbol.asyncDispose]())
    const store = await lmdbBlobStore({ ...options, path: folder.path })
    const another = () => lmdbBlobStore({ ...options, path: folder.path })
    return { store, another, damage: (digest, at) => flipBit(folder.path, digest, at) }
  },
  { durable: true, shared: true, lacks: [] },
)

const writer = fileURLToPath(new URL('../fixtures/blob-writer.ts', import.meta.url))
const strace = spawnSync('strace', ['-V']).status === 0
const large = bytesOf(1, 300_000)

async function files(path: string, folder: string): Promise<string[]> {
  const entries = await readdir(join(path, folder), { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile() && !entry.name.endsWith('.lock')).map((entry) => entry.name)
}

test('everything is there after a reopening', async () => {
  await using folder = await temporaryFolder()
  const url = `lmdb:${folder.path}`
  const first = await openBlobStore(url)
  await first.putSmall([{ name: name('s'), bytes: Buffer.from('small') }])
  await first.put({ name: name('l') }, [large])
  await first.close()
  await using second = await openBlobStore(url)
  expect(await readAll(await second.open(name('s')))).toEqual(Buffer.from('small'))
  expect((await readAll(await second.open(name('l'))))?.equals(large)).toBe(true)
  expect(second.usage()).toMatchObject({ entries: 2, blobs: 2, sizeBytes: 300_005 })
  expect(await files(folder.path, 'incoming')).toEqual([])
})

test('large bytes that go are no file any more', async () => {
  await using folder = await temporaryFolder()
  await using store = await lmdbBlobStore({ path: folder.path, quotaBytes: 700_000 })
  await store.put({ name: name('a') }, [large])
  await store.put({ name: name('b') }, [large])
  await store.put({ name: name('c') }, [bytesOf(2, 600_000)])
  expect(await files(folder.path, 'files')).toHaveLength(1)
  await store.remove([name('a'), name('b')])
  expect(await files(folder.path, 'files')).toEqual([])
})

test('a damaged file is set aside under its name', async () => {
  await using folder = await temporaryFolder()
  await using store = await lmdbBlobStore({ path: folder.path })
  await store.put({ name: name('a') }, [large])
  const [file] = await files(folder.path, 'files')
  await flipBit(folder.path, sha256(large), 299_999)
  await expect(store.open(name('a')).then(readAll)).rejects.toThrow(DamagedBlobError)
  expect(await files(folder.path, 'files')).toEqual([])
  expect(await files(folder.path, 'damaged')).toEqual([file])
})

test('a file that vanished is damage, not an empty answer', async () => {
  await using folder = await temporaryFolder()
  await using store = await lmdbBlobStore({ path: folder.path })
  await store.put({ name: name('a') }, [large])
  const [file = ''] = await files(folder.path, 'files')
  spawnSync('rm', [join(folder.path, 'files', file.slice(0, 2), file)])
  await expect(store.open(name('a'))).rejects.toThrow('its file is missing')
  expect((await store.put({ name: name('a') }, [large])).outcome).toBe('exists')
  expect((await readAll(await store.open(name('a'))))?.equals(large)).toBe(true)
})

const lose = async (path: string): Promise<void> => {
  const [file = ''] = await files(path, 'files')
  await rm(join(path, 'files', file.slice(0, 2), file))
}
const shorten = async (path: string): Promise<void> => {
  const [file = ''] = await files(path, 'files')
  await truncate(join(path, 'files', file.slice(0, 2), file), 299_999)
}

describe('bytes that come again replace a copy whose damage nobody has met yet', () => {
  const small = bytesOf(1, 1000)
  test.each([
    ['a flipped bit in a small one', small, (path: string) => flipBit(path, sha256(small), 7)],
    ['a flipped bit in a large one', large, (path: string) => flipBit(path, sha256(large), 299_999)],
    ['a file that vanished', large, lose],
    ['a file that was cut', large, shorten],
  ])('%s', async (_, bytes, harm) => {
    await using folder = await temporaryFolder()
    const found: string[] = []
    await using store = await lmdbBlobStore({ path: folder.path, onDamage: ({ digest }) => void found.push(digest) })
    for (const other of ['k', 'another name']) {
      await store.put({ name: name('k') }, [bytes])
      await harm(folder.path)
      const { outcome } = await store.put({ name: name(other) }, [bytes])
      expect(outcome).toBe(other === 'k' ? 'exists' : 'created')
      for (const each of new Set(['k', other])) {
        expect((await readAll(await store.open(name(each))))?.equals(bytes)).toBe(true)
      }
    }
    expect(found).toEqual([sha256(bytes), sha256(bytes)])
    expect(store.usage()).toMatchObject({ entries: 2, blobs: 1, sizeBytes: bytes.length })
  })
})

test('a remove that races a put never takes the bytes that the put acknowledged', async () => {
  await using folder = await temporaryFolder()
  await using store = await lmdbBlobStore({ path: folder.path })
  const key = name('k')
  await store.put({ name: key }, [large])
  for (let round = 0; round < 40; round++) {
    const [outcome] = await Promise.all([store.put({ name: key }, [large]), store.remove([key])])
    const blob = await readAll(await store.open(key))
    expect(blob === undefined || blob.equals(large)).toBe(true)
    // A put that created the entry came after the remove.
    expect(outcome.outcome === 'created' && blob === undefined).toBe(false)
    await store.put({ name: key }, [large])
    expect((await readAll(await store.open(key)))?.equals(large)).toBe(true)
  }
  expect(await files(folder.path, 'files')).toHaveLength(1)
})

test.skipIf(!strace)('bytes that come again before a remove has unlinked their old file are kept', async () => {
  await using folder = await temporaryFolder()
  await using store = await lmdbBlobStore({ path: folder.path })
  const key = name('k')
  await store.put({ name: key }, [large])
  const remover = fileURLToPath(new URL('../fixtures/blob-remover.ts', import.meta.url))
  // Its unlink comes long after its commit.
  const slow = ['-e', 'trace=unlink,unlinkat', '-e', 'inject=unlink,unlinkat:delay_enter=800000']
  const args = ['-f', '-o', '/dev/null', ...slow, process.execPath, remover, folder.path, 'k']
  await using child = startProcess({ command: 'strace', args })
  await waitUntil(async () => (await store.stat([key]))[0] === undefined)
  expect((await store.put({ name: key }, [large])).outcome).toBe('created')
  expect((await child.exit).code).toBe(0)
  expect(child.stdout).toEqual(['removed'])
  expect((await readAll(await store.open(key)))?.equals(large)).toBe(true)
  expect(await files(folder.path, 'files')).toHaveLength(1)
})

describe('what a crash leaves', () => {
  const dead = 'dead'.repeat(4)

  test('is removed at the next start, and nothing else is', async () => {
    await using folder = await temporaryFolder()
    const living = await lmdbBlobStore({ path: folder.path })
    await living.put({ name: name('k') }, [large])
    const instance = (await readdir(join(folder.path, 'incoming'))).find((file) => !file.includes('.')) ?? ''
    const digest = sha256(Buffer.from('orphan'))
    const put = async (path: string, file: string): Promise<void> => {
      await mkdir(join(folder.path, path), { recursive: true })
      await writeFile(join(folder.path, path, file), 'half')
    }
    await put(`incoming/${dead}`, '00000000')
    await put('incoming', `${dead}.lock`)
    await put(`incoming/${instance}`, '00000007')
    await put(`files/${digest.slice(0, 2)}`, `${digest}-${dead}00000001`)
    await put(`files/${digest.slice(0, 2)}`, `${digest}-${instance}00000007`)
    await put(`files/${digest.slice(0, 2)}`, 'not-ours')

    const starting = await lmdbBlobStore({ path: folder.path })
    await starting.close()
    expect((await readdir(join(folder.path, 'incoming'))).toSorted()).toEqual([instance, `${instance}.lock`])
    expect(await files(folder.path, 'incoming')).toEqual(['00000007'])
    const kept = await files(folder.path, 'files')
    expect(kept).toHaveLength(3)
    expect(kept).toContain(`${digest}-${instance}00000007`)
    expect(kept).toContain('not-ours')
    expect((await readAll(await living.open(name('k'))))?.equals(large)).toBe(true)
    await living.close()
  })

  test('recorded files of dead processes stay', async () => {
    await using folder = await temporaryFolder()
    await using child = startProcess({ args: [writer, folder.path, '1000', '100000'] })
    await child.waitForLine(/^20 created/)
    child.kill('SIGKILL')
    await child.exit
    await using store = await lmdbBlobStore({ path: folder.path })
    for (const line of child.stdout) {
      const index = line.split(' ')[0] ?? ''
      const expected = Buffer.alloc(100_000, `${index};`)
      expect((await readAll(await store.open(name(index))))?.equals(expected)).toBe(true)
    }
    const page = await store.scan('test', undefined, 2000)
    expect(await files(folder.path, 'files')).toHaveLength(page.entries.length)
  })
})

test.skipIf(!strace)(
  'a large put is synced, renamed, its folder synced, recorded, and only then acknowledged',
  async () => {
    await using folder = await temporaryFolder()
    const calls = 'trace=fsync,fdatasync,rename,renameat,renameat2,write,pwrite64,openat'
    // Slow syncs, so that whoever does not wait for them is seen.
    const slow = 'inject=fsync,fdatasync:delay_exit=20000'
    const args = [
      '-f',
      '-y',
      '-s',
      '300',
      '-e',
      slow,
      '-e',
      calls,
      process.execPath,
      writer,
      folder.path,
      '3',
      '100000',
    ]
    await using child = startProcess({ command: 'strace', args })
    expect((await child.exit).code).toBe(0)
    const unfinished = new Map<string, string>()
    const events = child.stderr.flatMap((line) => {
      const [, thread = '', call = ''] = /^(?:\[pid +(\d+)\] )?(.*)$/.exec(line) ?? []
      if (call.endsWith('<unfinished ...>')) return (unfinished.set(thread, call), [])
      const whole = call.startsWith('<...') ? `${unfinished.get(thread)}${call}` : call
      if (/^fsync\(.*\/incoming\/\w+\/\w{8}>.*= 0/.test(whole)) return ['file synced']
      if (/^rename\w*\(.*\/incoming\/.*\/files\/.*= 0/.test(whole)) return ['renamed']
      if (/^fsync\(.*\/files\/\w\w>.*= 0/.test(whole)) return ['folder synced']
      if (/^fdatasync\(.*data\.mdb>.*= 0/.test(whole)) return ['record synced']
      return /\d created/.exec(whole) ?? []
    })
    const perPut = ['file synced', 'renamed', 'folder synced', 'record synced']
    const from = events.indexOf('file synced')
    expect(events.slice(from)).toEqual([...perPut, '0 created', ...perPut, '1 created', ...perPut, '2 created'])
  },
)

test.skipIf(!strace)(
  'after the disk failed under a commit what cannot be read says so, and a start finds it all',
  async () => {
    const fixture = fileURLToPath(new URL('../fixtures/blob-after-failure.ts', import.meta.url))
    // One of these calls is that of a meta page.
    for (let call = 20; ; call++) {
      expect(call).toBeLessThan(30)
      await using folder = await temporaryFolder()
      const fault = ['-e', 'trace=pwrite64', '-e', `inject=pwrite64:error=EIO:when=${call}+`]
      const args = ['-f', '-o', '/dev/null', ...fault, process.execPath, fixture, folder.path]
      // strace counts by thread.
      await using child = startProcess({ command: 'strace', args, env: { UV_THREADPOOL_SIZE: '1' } })
      expect((await child.exit).code).toBe(0)
      const acknowledged = child.stdout.filter((line) => line.endsWith(' acknowledged')).length
      if (!child.stdout.includes(`${acknowledged} OutcomeUnknownError`)) continue
      expect(acknowledged).toBeGreaterThan(0)
      expect(child.stdout.slice(acknowledged + 1)).toEqual([
        'open UnreadableBlobError',
        'stat UnreadableBlobError',
        'scan UnreadableBlobError',
        'namespaces UnreadableBlobError',
        'usage UnreadableBlobError',
        'put NotAppliedError',
        'check Error',
      ])
      await using store = await lmdbBlobStore({ path: folder.path })
      for (let index = 0; index < acknowledged; index++) {
        expect(await readAll(await store.open(name(`${index}`)))).toEqual(Buffer.alloc(100, index))
      }
      return
    }
  },
)

test('when the disk is full a large put is full, what was there stays, and nothing is left over', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'limited')
  // No file may pass 1 MiB.
  const args = ['-c', 'ulimit -f 2048; exec "$0" "$@"', process.execPath, writer, path, '1', '1500000']
  await using child = startProcess({ command: 'sh', args })
  expect((await child.exit).code).toBe(0)
  expect(child.stdout).toEqual(['0 full'])
  expect([...(await files(path, 'files')), ...(await files(path, 'incoming'))]).toEqual([])
})

test('a format of a later release is refused and left as it is', async () => {
  await using folder = await temporaryFolder()
  const store = await lmdbBlobStore({ path: folder.path })
  await store.put({ name: name('k') }, [Buffer.from('bytes')])
  const { openLmdb } = await import('../lmdb-environment.ts')
  await using environment = await openLmdb({ path: folder.path })
  await environment.transact(() => environment.table('totals').put(Buffer.from('totals'), Buffer.from([2])))
  await expect(store.put({ name: name('x') }, [Buffer.from('y')])).rejects.toThrow(
    'format 2; this release reads format 1',
  )
  expect((await readFile(join(folder.path, 'data.mdb'))).length).toBeGreaterThan(0)
  await store.close()
})

test('messages that have a row of their own, as they had at first, are read, listed, found again and removed', async () => {
  await using folder = await temporaryFolder()
  const [bytes, other] = [Buffer.from('before'), Buffer.from('after')]
  const [digest, otherDigest] = [sha256(bytes), sha256(other)]
  const message = { namespace: 'messages', key: digest }
  {
    const { openLmdb } = await import('../lmdb-environment.ts')
    const { encodeEntry, encodeRecord, encodeTotals, entryKey } = await import('./lmdb/records.ts')
    await using environment = await openLmdb({ path: folder.path })
    const [entries, blobs, totals] = ['entries', 'blobs', 'totals'].map((table) => environment.table(table))
    await environment.transact(() => {
      const record = { references: 1, sizeBytes: 6, damaged: false, home: false, content: { bytes } }
      entries?.put(entryKey(message), encodeEntry(digest, digest))
      blobs?.put(Buffer.from(digest, 'hex'), encodeRecord(record))
      totals?.put(Buffer.from('totals'), encodeTotals({ entries: 1, blobs: 1, sizeBytes: 6 }))
    })
  }
  await using store = await lmdbBlobStore({ path: folder.path })
  const keys = async (): Promise<string[]> => (await store.scan('messages', undefined, 9)).entries.map(({ key }) => key)
  expect(await readAll(await store.open(message))).toEqual(bytes)
  expect((await store.putSmall([{ name: message, bytes }]))[0]?.outcome).toBe('exists')
  await store.putSmall([{ name: { namespace: 'messages', key: otherDigest }, bytes: other }])
  expect(await keys()).toEqual([digest, otherDigest].toSorted())
  expect(store.usage()).toMatchObject({ entries: 2, blobs: 2, families: { messages: { entries: 2, sizeBytes: 11 } } })
  expect(await store.remove([message])).toEqual(['removed'])
  expect(await keys()).toEqual([otherDigest])
  expect(store.usage()).toMatchObject({ entries: 1, blobs: 1, families: { messages: { entries: 1, sizeBytes: 5 } } })
})

test('a URL that names no store is refused with what to say', async () => {
  await expect(openBlobStore('redis://x')).rejects.toThrow('"redis:" names no blob store: say --store lmdb:<folder>')
  await expect(openBlobStore('lmdb:')).rejects.toThrow('names no blob store')
  await using store = await openBlobStore('memory:')
  expect(store.capabilities.durable).toBe(false)
})
