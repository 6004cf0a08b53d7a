import { mkdir, readdir, readFile, realpath, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from '@ballast/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { describeCounterContract } from './contract.ts'
import { one } from './contract/operations.ts'
import { fileCounterStore } from './file.ts'
import { openCounterStore } from './open.ts'

async function scratch(): Promise<string> {
  const folder = await temporaryFolder()
  onTestFinished(() => folder[Symbol.asyncDispose]())
  return join(folder.path, 'data', 'counter.json')
}

describe.each([
  ['file', {}],
  ['file with a log', { logAtBytes: 0, compactAtBytes: 1_000 }],
])('%s', (name, sizes) => {
  describeCounterContract(
    name,
    async (limits) => {
      let nowMs = 1_700_000_000_000
      const path = await scratch()
      const open = () => fileCounterStore({ ...limits, ...sizes, path, now: () => nowMs })
      const store = await open()
      const pass = async (durationMs: number): Promise<void> => void (nowMs += durationMs)
      return { store, nowMs: () => nowMs, pass, reopen: async () => (await store.close(), open()) }
    },
    { atomicity: 'batch', durable: true, clock: 'store' },
  )
})

describe('the file', () => {
  test('is readable JSON with a line per counter, and nothing else lies beside it but the lock', async () => {
    const path = await scratch()
    await using store = await fileCounterStore({ path, now: () => 1_700_000_000_000 })
    await store.commit([{ kind: 'add', name: 'default/counter', by: 41n }])
    await store.commit([
      { kind: 'add', name: 'default/counter', by: 1n, token: { scope: 's', key: 'k', fingerprint: 'f' } },
    ])
    await expect(readFile(path, 'utf8')).resolves.toBe(
      [
        '{"format":"ballast-counter","formatVersion":1,"commit":2,"lastVersion":"2","writtenAtMs":1700000000000,',
        '"counters":{',
        '"default/counter":{"value":"42","version":"2"}',
        '},',
        '"tokens":[',
        '["1:sk","f",1700000600000,["42","41","2",null]]',
        '],',
        '"crc32":"477445c8"}',
        '',
      ].join('\n'),
    )
    await expect(readdir(join(path, '..'))).resolves.toEqual(['counter.json', 'counter.lock'])
  })

  test.each(['17', ' 17\n', '{"count":17}', '{ "counter": 17 }'])(
    'of the predecessor is taken over: %j',
    async (content) => {
      const path = await scratch()
      await mkdir(join(path, '..'))
      await writeFile(path, content)
      await using store = await openCounterStore(`file:${path}`)
      await expect(one(store, { kind: 'add', name: 'default/counter', by: 1n })).resolves.toMatchObject({ value: 18n })
    },
  )

  test('a number above 2^53 is taken over exactly', async () => {
    const path = await scratch()
    await mkdir(join(path, '..'))
    await writeFile(path, '{"counter":9007199254740993}')
    await using store = await openCounterStore(`file://${path}`)
    await expect(store.read(['default/counter'])).resolves.toMatchObject([{ value: 9_007_199_254_740_993n }])
  })

  test.each([
    ['nothing', ''],
    ['half a file', '{"format":"ballast-counter","formatVersion":1,"comm'],
    ['another format', '{"hits":3}'],
    ['a newer format', '{"format":"ballast-counter","formatVersion":2}'],
    ['too large a number', '99999999999999999999'],
    [
      'a counter without a value',
      '{"format":"ballast-counter","formatVersion":1,"commit":1,"lastVersion":"1","writtenAtMs":1,"counters":{"a/b":{}},"tokens":[]}',
    ],
    ...[
      ['a version above the last one', `{"a/b":{"value":"1","version":"9"}},"tokens":[]}`],
      ['a name without a namespace', `{"x":{"value":"1","version":"1"}},"tokens":[]}`],
      ['a name that is none', `{"__proto__":{"value":"1","version":"1"}},"tokens":[]}`],
      ['an answer above the last version', `{},"tokens":[["1:sk","f",5,["1","0","9",null]]]}`],
    ].map(([what = '', rest = '']): [string, string] => [
      what,
      `{"format":"ballast-counter","formatVersion":1,"commit":1,"lastVersion":"1","writtenAtMs":1,"counters":${rest}`,
    ]),
    ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x00])],
  ])('%s is refused in one sentence, and stays as it is', async (_, content) => {
    const path = await scratch()
    await mkdir(join(path, '..'))
    await writeFile(path, content)
    for (let attempt = 0; attempt < 2; attempt++) {
      const opening = openCounterStore(`file:${path}`, { setting: '--store' })
      await expect(opening).rejects.toThrow(new RegExp(`^${path} cannot be read as counters .*left as it is.*--store$`))
    }
    expect(await readFile(path)).toEqual(Buffer.from(content))
  })

  test('10,000 tokens and their order survive, and the ones of a full window are still refused', async () => {
    const path = await scratch()
    const options = { path, maxTokens: 10_000, now: () => 1_700_000_000_000 }
    const ops = Array.from({ length: 10_000 }, (_, i) => ({
      kind: 'add' as const,
      name: `n/${i % 7}`,
      by: 1n,
      token: { scope: 's', key: String(i), fingerprint: 'f' },
    }))
    const first = await fileCounterStore(options)
    const before = await first.commit(ops)
    await first.close()
    await using second = await fileCounterStore(options)
    await expect(second.commit(ops)).resolves.toEqual(before.map((outcome) => ({ ...outcome, replayed: true })))
    const more = {
      ...ops[0],
      kind: 'add' as const,
      name: 'n/0',
      by: 1n,
      token: { scope: 's', key: 'x', fingerprint: 'f' },
    }
    await expect(second.commit([more])).resolves.toMatchObject([{ reason: 'token-window-full' }])
  })
})

describe('opening', () => {
  test('a second store on the same file is refused with its holder and the flag', async () => {
    const path = await scratch()
    await using first = await fileCounterStore({ path })
    await expect(first.check()).resolves.toBeUndefined()
    const second = fileCounterStore({ path, lockTimeoutMs: 50, setting: '--store' })
    await expect(second).rejects.toThrow(new RegExp(`^${path} is in use by process ${process.pid} on .*--store$`))
  })

  test.each(['a link to the file', 'a link to nothing yet', 'a link to its folder'])(
    '%s is the same file',
    async (how) => {
      const path = await scratch()
      const [folder, away] = [join(path, '..'), join(path, '..', '..')]
      await mkdir(folder)
      if (how === 'a link to the file') await writeFile(path, '5')
      const link = join(away, 'link.json')
      const viaFolder = how === 'a link to its folder'
      await symlink(viaFolder ? folder : path, viaFolder ? join(away, 'linked') : link)
      const other = viaFolder ? join(away, 'linked', 'counter.json') : link
      const first = await fileCounterStore({ path: other })
      await one(first, { kind: 'add', name: 'default/counter', by: 1n })
      await expect(fileCounterStore({ path, lockTimeoutMs: 50 })).rejects.toThrow(/counter\.json is in use by process/)
      await first.close()
      await using second = await fileCounterStore({ path })
      await expect(second.read(['default/counter'])).resolves.toMatchObject([{ version: expect.any(BigInt) }])
      await expect(fileCounterStore({ path: other, lockTimeoutMs: 50 })).rejects.toThrow(/is in use by process/)
      await expect(realpath(other)).resolves.toBe(await realpath(path))
    },
  )

  test('a folder in place of the file is named', async () => {
    const path = await scratch()
    await mkdir(path, { recursive: true })
    await expect(openCounterStore(`file:${path}`)).rejects.toThrow(
      new RegExp(`^${path} cannot be read as counters \\(EISDIR.*left as it is.*--store$`),
    )
  })

  test('a folder that cannot be made is named, with the flag', async () => {
    const path = await scratch()
    await mkdir(join(path, '..'))
    await writeFile(path, '1')
    await expect(openCounterStore(`file:${path}/below/x.json`)).rejects.toThrow(
      /^the folder .*counter\.json\/below cannot be used .*--store$/,
    )
  })

  test.each(['mongodb://localhost', 'counter.json', 'file:', ''])('%j names no store', async (url) => {
    await expect(openCounterStore(url)).rejects.toThrow(/names no counter store: say --store file:<path>/)
  })
})
