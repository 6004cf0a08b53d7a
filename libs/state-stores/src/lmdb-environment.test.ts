import { fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startProcess, temporaryFolder, waitUntil } from '@ballast/testing'
import { describe, expect, test } from 'vitest'
import { openLmdb } from './lmdb-environment.ts'
import { NotAppliedError, OutcomeUnknownError } from './outcome.ts'

const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}.ts`, import.meta.url))
const key = (text: string): Buffer => Buffer.from(text)
const strace = spawnSync('strace', ['-V']).status === 0

describe('writing', () => {
  test('a transaction is all or nothing, and its error is the caller’s', async () => {
    await using folder = await temporaryFolder()
    await using environment = await openLmdb({ path: folder.path })
    const table = environment.table('t')
    const failing = environment.transact(() => {
      table.put(key('a'), key('1'))
      throw new RangeError('no')
    })
    const neighbour = environment.transact(() => table.put(key('b'), key('2')))
    await expect(failing).rejects.toThrow(RangeError)
    await neighbour
    expect(table.get(key('a'))).toBeUndefined()
    expect(table.get(key('b'))).toEqual(key('2'))
  })

  test('keys are in byte order, a range has an inclusive start and an exclusive end', async () => {
    await using folder = await temporaryFolder()
    await using environment = await openLmdb({ path: folder.path })
    const table = environment.table('t')
    const [start, end] = [Buffer.from([0, 255]), Buffer.from([255, 0])]
    const keys = [Buffer.from([0]), start, Buffer.from([1]), end]
    await environment.transact(() => keys.toReversed().forEach((each) => table.put(each, each)))
    expect([...table.range()].map((entry) => entry.key)).toEqual(keys)
    expect([...table.range({ start, end })].map((entry) => entry.key)).toEqual(keys.slice(1, 3))
    expect([...table.range({ limit: 1 })]).toEqual([{ key: keys[0], value: keys[0] }])
  })

  test('what cannot be written is read: nothing is touched, and writes and check say why', async () => {
    await using folder = await temporaryFolder()
    const first = await openLmdb({ path: folder.path })
    await first.transact(() => first.table('t').put(key('a'), key('1')))
    await first.close()
    const before = await readFile(join(folder.path, 'data.mdb'))
    const why = Object.assign(new Error('the disk takes no writes'), { code: 'EROFS' })
    await using second = await openLmdb({ path: folder.path, readOnlyBecause: why })
    const table = second.table('t')
    expect(table.get(key('a'))).toEqual(key('1'))
    await expect(second.transact(() => table.put(key('b'), key('2')))).rejects.toThrow(NotAppliedError)
    await expect(second.transact(() => undefined)).rejects.toMatchObject({ cause: why, wholeStore: true })
    expect(() => second.check()).toThrow('the disk takes no writes')
    expect(() => second.table('other')).toThrow(`${folder.path} has no "other" yet, and cannot be written`)
    expect((await readFile(join(folder.path, 'data.mdb'))).equals(before)).toBe(true)
    const nothing = openLmdb({ path: join(folder.path, 'nothing'), readOnlyBecause: why })
    await expect(nothing).rejects.toThrow(`there is no store to read in the folder ${folder.path}/nothing (ENOENT)`)
  })

  test('what is there survives a reopening', async () => {
    await using folder = await temporaryFolder()
    const first = await openLmdb({ path: folder.path })
    await first.transact(() => first.table('t').put(key('a'), key('1')))
    await first.close()
    await expect(first.transact(() => undefined)).rejects.toThrow('is closed')
    expect(() => first.check()).toThrow('is closed')
    await using second = await openLmdb({ path: folder.path })
    expect(second.table('t').get(key('a'))).toEqual(key('1'))
  })

  test.skipIf(!strace)('a write is acknowledged after fdatasync and the synchronous meta page', async () => {
    await using folder = await temporaryFolder()
    // A slow disk: whoever acknowledges before the sync has returned is seen doing so.
    const slow = 'inject=fdatasync:delay_exit=50000'
    const args = ['-f', '-s', '200', '-e', slow, '-e', 'trace=fdatasync,write,pwrite64,openat,open', process.execPath]
    await using child = startProcess({
      command: 'strace',
      args: [...args, fixture('lmdb-writer'), folder.path, '5', '100'],
    })
    expect((await child.exit).code).toBe(0)
    const synchronous = child.stderr.map((line) => /"[^"]*data\.mdb", O_WRONLY\|O_DSYNC.* = (\d+)/.exec(line)?.[1])
    const meta = `pwrite64(${synchronous.find((descriptor) => descriptor !== undefined)},`
    const events = child.stderr.flatMap((line) => {
      if (/fdatasync.*= 0/.test(line)) return ['synced']
      // The meta pages, at the start of pages 0 and 1, make a commit visible.
      if (/pwrite64.*, (40|4136)\)/.test(line))
        return [line.includes(meta) ? 'visible and durable' : 'visible too early']
      return /\d acknowledged/.exec(line) ?? []
    })
    for (let index = 1; index < 5; index++) {
      const since = events.indexOf(`${index - 1} acknowledged`)
      const until = events.indexOf(`${index} acknowledged`)
      expect(events.slice(since + 1, until)).toEqual(['synced', 'visible and durable'])
    }
  })

  test.skipIf(!strace)(
    'when the disk fails under a commit that one is unknown, and all later ones are not applied',
    async () => {
      await using folder = await temporaryFolder()
      const args = ['-f', '-o', '/dev/null', '-e', 'trace=pwrite64', '-e', 'inject=pwrite64:error=EIO:when=12+']
      await using child = startProcess({
        command: 'strace',
        args: [...args, process.execPath, fixture('lmdb-writer'), folder.path, '20', '100'],
        // strace counts by thread.
        env: { UV_THREADPOOL_SIZE: '1' },
      })
      expect((await child.exit).code).toBe(0)
      const outcomes = child.stdout.map((line) => line.split(' ')[1])
      const acknowledged = outcomes.indexOf('OutcomeUnknownError')
      expect(acknowledged).toBeGreaterThan(0)
      expect(outcomes).toEqual([
        ...Array.from({ length: acknowledged }, () => 'acknowledged'),
        'OutcomeUnknownError',
        ...Array.from({ length: 19 - acknowledged }, () => 'NotAppliedError'),
      ])
      await using environment = await openLmdb({ path: folder.path })
      for (let index = 0; index < acknowledged; index++) {
        expect(environment.table('values').get(Buffer.from(`key-${index}`))).toEqual(Buffer.alloc(100, index))
      }
    },
  )

  test('on a full disk a write is refused as not applied, and smaller ones go on', async () => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'limited')
    // Blocks of 512 bytes: no file may pass 2 MiB.
    const script = 'ulimit -f 4096; exec "$0" "$@"'
    const args = ['-c', script, process.execPath, fixture('lmdb-writer'), path, '60', '60000']
    await using child = startProcess({ command: 'sh', args })
    expect((await child.exit).code).toBe(0)
    const outcomes = child.stdout.map((line) => line.split(' ')[1])
    expect(outcomes.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => 'acknowledged'))
    expect(child.stdout.at(-1)).toBe('59 NotAppliedError whole-store')
    await using environment = await openLmdb({ path })
    const acknowledged = child.stdout.filter((line) => line.endsWith(' acknowledged')).map((line) => line.split(' ')[0])
    for (const index of acknowledged) {
      expect(environment.table('values').get(key(`key-${index}`))).toHaveLength(60_000)
    }
    expect([...environment.table('values').range()]).toHaveLength(acknowledged.length)
  })
})

test('a transaction that waits too long for another process is not applied, then or later; afterwards all is well', async () => {
  await using folder = await temporaryFolder()
  await using environment = await openLmdb({ path: folder.path, commitTimeoutMs: 200 })
  const table = environment.table('t')
  await using stopped = startProcess({ args: [fixture('lmdb-stopped'), folder.path, '1500'] })
  await stopped.waitForLine(/inside/)
  const value = key('1')
  const waiting = [
    environment.transact(() => table.put(key('a'), value)),
    environment.transact(() => table.put(key('c'), value)),
  ]
  for (const each of waiting) await expect(each).rejects.toThrow(NotAppliedError)
  value.write('2')
  expect(() => environment.check()).toThrow('did not commit within 200 ms')
  await expect(environment.transact(() => undefined)).rejects.toThrow(NotAppliedError)
  await stopped.exit
  await waitUntil(() => (environment.check(), true))
  await environment.transact(() => table.put(key('b'), key('3')))
  expect([...table.range()]).toEqual([{ key: key('b'), value: key('3') }])
})

test('a transaction that ran but whose commit takes too long has an unknown outcome', async () => {
  await using folder = await temporaryFolder()
  await using environment = await openLmdb({ path: folder.path, commitTimeoutMs: 200 })
  const table = environment.table('t')
  const running = environment.transact(() => {
    table.put(key('a'), key('1'))
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400)
  })
  await expect(running).rejects.toThrow(OutcomeUnknownError)
  await waitUntil(() => (environment.refresh(), table.get(key('a')) !== undefined))
  await waitUntil(() => (environment.check(), true))
})

test('a process that is killed inside a transaction leaves nothing of it, and blocks nobody', async () => {
  await using folder = await temporaryFolder()
  await using environment = await openLmdb({ path: folder.path })
  const table = environment.table('t')
  await using killed = startProcess({ args: [fixture('lmdb-stopped'), folder.path, '60000'] })
  await killed.waitForLine(/inside/)
  const waiting = environment.transact(() => table.put(key('a'), key('1')))
  killed.kill('SIGKILL')
  await waiting
  expect(table.get(key('a'))).toEqual(key('1'))
})

test.each(['environment', 'blobs'])('two processes read each other’s acknowledged writes at once: %s', async (kind) => {
  await using folder = await temporaryFolder()
  const count = 2000
  const peers = ['a', 'b'].map((name) => fork(fixture('lmdb-peer'), [kind, folder.path, name, String(count)]))
  const results = peers.map(async (peer, index) => {
    let result: unknown
    peer.on('message', (message) => {
      const other = peers[1 - index]
      if (typeof message !== 'string') result = message
      else if (other?.connected === true) other.send(message)
    })
    await once(peer, 'exit')
    return result
  })
  expect(await Promise.all(results)).toEqual([
    { missed: 0, checked: count },
    { missed: 0, checked: count },
  ])
})

describe('refusals', () => {
  test.each([
    [0x6969, 'NFS'],
    [0x65735546, 'FUSE'],
  ])('file system %d is refused as %s', async (type, name) => {
    await using folder = await temporaryFolder()
    const opening = openLmdb({ path: folder.path, fileSystemType: () => Promise.resolve(type) })
    await expect(opening).rejects.toThrow(`${folder.path} is on ${name}; LMDB needs a local disk`)
    expect(await readdir(folder.path)).toEqual([])
  })

  test('a folder that cannot be one is named', async () => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'file', 'store')
    await writeFile(join(folder.path, 'file'), '')
    await expect(openLmdb({ path })).rejects.toThrow(`cannot write to the folder ${path} (ENOTDIR)`)
  })

  test('a data file that is a folder is named', async () => {
    await using folder = await temporaryFolder()
    await mkdir(join(folder.path, 'data.mdb'))
    await expect(openLmdb({ path: folder.path })).rejects.toThrow(`${folder.path} (EISDIR)`)
  })
})

describe('damage', () => {
  const damages: Record<string, (data: Buffer) => Buffer> = {
    'no database at all': () => Buffer.from('hello\n'.repeat(4000)),
    'an emptied file': () => Buffer.alloc(0),
    'a file of some bytes': () => Buffer.alloc(100, 7),
    'a torn first meta page': (data) => data.fill(0x5a, 0, 4096),
    'a torn second meta page': (data) => data.fill(0x5a, 4096, 8192),
    'only the meta pages': (data) => data.subarray(0, 8192),
    'the second half cut off': (data) => data.subarray(0, data.length >> 1),
    'overwritten data pages': (data) => data.fill(0x5a, 8192),
  }

  test.each(Object.entries(damages))('%s is refused and left as it is', async (_, damage) => {
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'data.mdb')
    {
      await using environment = await openLmdb({ path: folder.path })
      const table = environment.table('t')
      await environment.transact(() => {
        for (let index = 0; index < 300; index++) table.put(key(`${index}`), Buffer.alloc(index * 50, index))
      })
    }
    const damaged = Buffer.from(damage(await readFile(file)))
    await writeFile(file, damaged)
    await expect(openLmdb({ path: folder.path })).rejects.toThrow(`${file} is damaged or no LMDB data`)
    expect((await readFile(file)).equals(damaged)).toBe(true)
  })

  test('a store in use, with freed pages and many tables, is not called damaged', async () => {
    await using folder = await temporaryFolder()
    await using environment = await openLmdb({ path: folder.path })
    for (let round = 0; round < 20; round++) {
      const table = environment.table(`t${round % 3}`)
      await environment.transact(() => {
        for (let index = 0; index < 200; index++) table.put(key(`${round}-${index}`), Buffer.alloc(index * 40))
        for (const { key: each } of Array.from(table.range({ limit: 150 }))) table.remove(each)
      })
      await using second = await openLmdb({ path: folder.path })
      second.check()
    }
    expect((await stat(join(folder.path, 'data.mdb'))).size).toBeGreaterThan(0)
  })
})
