import { createHash } from 'node:crypto'
import type { App, Authenticator } from '@ballast/service'
import { MemoryBlobStore } from '@ballast/state-stores/blob/memory'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { testApp } from '../../test-app.ts'
import { familyNames } from './index.ts'

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex')
const hello = sha256('hello')

type Method = 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE' | 'HEAD'
const asker =
  (app: App) =>
  async (method: Method, url: string, payload?: string, headers: Record<string, string> = {}) =>
    app.inject({ method, url, headers, ...(payload === undefined ? {} : { payload }) })
const start = async (options: Parameters<typeof testApp>[0] = {}) => {
  const { app, store } = await testApp(options)
  return { app, store, ask: asker(app) }
}

const roots: Readonly<Record<(typeof familyNames)[number], string>> = {
  bazel: `/bazel/main/cas/${hello}`,
  lfs: `/lfs/project/objects/${hello}`,
  restic: `/restic/repo/data/${hello}`,
  nx: '/nx/v1/cache/123',
  ccache: '/ccache/ab/cd',
  oci: '/v2/',
}

test.each(familyNames)('%s can be switched off, alone', async (family) => {
  const { ask } = await start({ families: familyNames.filter((name) => name !== family) })
  for (const each of familyNames) {
    const answer = await ask('GET', roots[each])
    const code =
      answer.headers['content-type']?.toString().includes('problem') === true
        ? answer.json<{ detail: string }>()
        : undefined
    expect([each, code?.detail.includes('leads nowhere') ?? false]).toEqual([each, each === family])
  }
})

test.each([
  `/bazel/%2e%2e%2fx/cas/${hello}`,
  `/bazel/UPPER/cas/${hello}`,
  `/bazel/main/cas/${hello.toUpperCase()}`,
  `/lfs/.git/objects/${hello}`,
  '/nx/v1/cache/..%2f..',
  '/ccache/.hidden',
  `/restic/${'x'.repeat(41)}/data/${hello}`,
  '/v2/Team/app/blobs/uploads/',
  '/v2/a%2f..%2fb/blobs/uploads/',
])('%s is refused and stores nothing', async (url) => {
  const { ask, store } = await start()
  for (const method of ['PUT', 'POST'] as const) {
    const { statusCode } = await ask(method, url, 'hello')
    expect([400, 404, 405]).toContain(statusCode)
  }
  expect(store.usage()?.entries).toBe(0)
})

test('instances and repositories do not see one another', async () => {
  const { ask } = await start()
  await ask('PUT', `/bazel/one/cas/${hello}`, 'hello')
  await ask('PUT', `/lfs/one/objects/${hello}`, 'hello')
  for (const url of [
    `/bazel/two/cas/${hello}`,
    `/lfs/two/objects/${hello}`,
    `/cas/${hello}`,
    `/restic/one/data/${hello}`,
  ]) {
    expect((await ask('GET', url)).statusCode).toBe(404)
  }
})

test('a damaged entry of a cache is a miss', async () => {
  const store = new MemoryBlobStore()
  const { ask } = await start({ store })
  await ask('PUT', '/nx/v1/cache/123', 'hello')
  store.damage(hello)
  expect((await ask('GET', '/nx/v1/cache/123')).statusCode).toBe(404)
  await ask('PUT', '/nx/v1/cache/123', 'hello')
  expect((await ask('GET', '/nx/v1/cache/123')).body).toBe('hello')
})

describe('restic', () => {
  test('lists both versions; verifies names; never replaces the config', async () => {
    const { ask } = await start()
    expect((await ask('POST', '/restic/repo/?create=true')).statusCode).toBe(200)
    expect((await ask('POST', '/restic/repo/config', 'config')).statusCode).toBe(200)
    expect((await ask('POST', '/restic/repo/config', 'other')).statusCode).toBe(403)
    expect((await ask('GET', '/restic/repo/config')).body).toBe('config')
    expect((await ask('POST', `/restic/repo/data/${hello}`, 'other')).statusCode).toBe(422)
    expect((await ask('GET', '/restic/repo/data/')).json()).toEqual([])
    await ask('POST', `/restic/repo/data/${hello}`, 'hello')
    expect((await ask('GET', '/restic/repo/data/')).json()).toEqual([hello])
    const accept = 'application/vnd.x.restic.rest.v2'
    const sized = await ask('GET', '/restic/repo/data/', undefined, { accept })
    expect([sized.json(), sized.headers['content-type']]).toEqual([[{ name: hello, size: 5 }], accept])
    expect((await ask('DELETE', `/restic/repo/data/${hello}`)).statusCode).toBe(200)
  })

  test('of several who make one repository at once, one does', async () => {
    const { ask } = await start()
    const configs = Array.from({ length: 8 }, (_, index) => `config ${index}`)
    const statuses = await Promise.all(
      configs.map(async (config) => (await ask('POST', '/restic/repo/config', config)).statusCode),
    )
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, ...Array.from({ length: 7 }, () => 403)])
    expect((await ask('GET', '/restic/repo/config')).body).toBe(configs[statuses.indexOf(200)])
  })

  test('of those who make a repository one stores a key; one that died is no obstacle for ever', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    onTestFinished(() => void vi.useRealTimers())
    const { ask } = await start()
    const store = async (what: string): Promise<number> =>
      (await ask('POST', `/restic/repo/keys/${sha256(what)}`, what)).statusCode
    const keys = ['a', 'b', 'c', 'd']
    const statuses = await Promise.all(keys.map(store))
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 403, 403, 403])
    const first = keys[statuses.indexOf(200)] ?? ''
    // Who lost the answer asks again.
    expect(await store(first)).toBe(200)
    vi.advanceTimersByTime(61_000)
    expect(await store('later')).toBe(200)
    expect(await store('even later')).toBe(403)
    expect((await ask('POST', '/restic/repo/config', 'config')).statusCode).toBe(200)
    // Who looked before there was a config may still come.
    expect(await store('another one')).toBe(403)
    vi.advanceTimersByTime(61_000)
    expect(await store('another one')).toBe(200)
  })

  test('of those who ask for a repository one may make it; its other keys are taken at once', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    onTestFinished(() => void vi.useRealTimers())
    const { ask } = await start()
    const create = async (): Promise<number> => (await ask('POST', '/restic/repo/?create=true')).statusCode
    const all = async () => (await Promise.all(Array.from({ length: 4 }, create))).toSorted((a, b) => a - b)
    const key = async (what: string): Promise<number> =>
      (await ask('POST', `/restic/repo/keys/${sha256(what)}`, what)).statusCode
    // However many take over from one that died, also several times.
    for (let minute = 0; minute < 3; minute++) {
      expect(await all()).toEqual([200, 403, 403, 403])
      const keys = await Promise.all(['a', 'b', 'c'].map((each) => key(`${each} ${minute}`)))
      expect(keys.toSorted((a, b) => a - b)).toEqual([200, 403, 403])
      vi.advanceTimersByTime(61_000)
    }
    expect(await create()).toBe(200)
    expect(await key('key')).toBe(200)
    expect((await ask('POST', '/restic/repo/config', 'config')).statusCode).toBe(200)
    expect(await key('added at once')).toBe(200)
    expect(await create()).toBe(403)
    vi.advanceTimersByTime(61_000)
    expect(await create()).toBe(403)
  })

  test('where nothing is deleted, locks still are', async () => {
    const { ask } = await start({ allowDelete: false })
    for (const type of ['data', 'locks']) await ask('POST', `/restic/repo/${type}/${hello}`, 'hello')
    expect((await ask('DELETE', `/restic/repo/data/${hello}`)).statusCode).toBe(405)
    expect((await ask('DELETE', `/restic/repo/locks/${hello}`)).statusCode).toBe(200)
  })

  test('a list of thousands comes whole', async () => {
    const { ask, store } = await start()
    const entries = Array.from({ length: 2_500 }, (_, index) => {
      const bytes = Buffer.from(`${index}`)
      return { name: { namespace: 'restic.repo.index', key: sha256(bytes) }, bytes }
    })
    await store.putSmall(entries)
    expect((await ask('GET', '/restic/repo/index/')).json<string[]>().toSorted()).toEqual(
      entries.map(({ name }) => name.key).toSorted(),
    )
  })
})

const batch = (operation: string, ...objects: object[]): string => JSON.stringify({ operation, objects })

describe('git-lfs', () => {
  test('says per object what to do', async () => {
    const { ask } = await start({ publicUrl: 'https://store.example' })
    await ask('PUT', `/lfs/project/objects/${hello}`, 'hello')
    const none = sha256('none')
    const objects = [
      { oid: hello, size: 5 },
      { oid: none, size: 4 },
      { oid: hello, size: 6 },
      { oid: 'x', size: 1 },
    ]
    const download = await ask('POST', '/lfs/project/objects/batch', batch('download', ...objects))
    expect(download.headers['content-type']).toBe('application/vnd.git-lfs+json')
    expect(download.json()).toMatchObject({
      transfer: 'basic',
      objects: [
        { oid: hello, actions: { download: { href: `https://store.example/lfs/project/objects/${hello}` } } },
        { oid: none, error: { code: 404 } },
        { oid: hello, error: { code: 422 } },
        { oid: 'x', error: { code: 422 } },
      ],
    })
    const upload = await ask('POST', '/lfs/project/objects/batch', batch('upload', ...objects.slice(0, 2)))
    const [known, unknown] = upload.json<{ objects: { actions?: object }[] }>().objects
    expect([known?.actions, Object.keys(unknown?.actions ?? {})]).toEqual([undefined, ['upload', 'verify']])
  })

  test('a damaged object is asked for again', async () => {
    const store = new MemoryBlobStore()
    const { ask } = await start({ store })
    await ask('PUT', `/lfs/project/objects/${hello}`, 'hello')
    store.damage(hello)
    const answer = await ask('POST', '/lfs/project/objects/batch', batch('upload', { oid: hello, size: 5 }))
    expect(answer.json()).toMatchObject({ objects: [{ actions: { upload: {} } }] })
  })

  test('verifies', async () => {
    const { ask } = await start()
    await ask('PUT', `/lfs/project/objects/${hello}`, 'hello')
    const verify = async (oid: string, size: number) =>
      (await ask('POST', '/lfs/project/objects/verify', JSON.stringify({ oid, size }))).statusCode
    expect([await verify(hello, 5), await verify(hello, 6), await verify(sha256('none'), 4)]).toEqual([200, 400, 404])
  })

  test.each(['', '{', '[]', '{"operation":"steal","objects":[]}', '{"operation":"upload","objects":[{}]}'])(
    '%s is 400',
    async (body) => {
      const { ask } = await start()
      expect((await ask('POST', '/lfs/project/objects/batch', body)).statusCode).toBe(400)
    },
  )
})

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`

describe('credentials', () => {
  const authenticator: Authenticator = {
    scheme: 'tokens',
    identify: ({ headers }) => (headers.authorization === 'Bearer secret' ? { name: 'a', role: 'writer' } : undefined),
  }

  test('a token may come as password; clients that wait for it are asked', async () => {
    const { ask } = await start({ server: { authenticator } })
    for (const authorization of ['Bearer secret', basic('anyone:secret')]) {
      expect((await ask('GET', '/v2/', undefined, { authorization })).statusCode).toBe(200)
    }
    const refused = await ask('GET', '/v2/', undefined, { authorization: basic('anyone:guess') })
    expect([refused.statusCode, refused.headers['www-authenticate']]).toEqual([
      401,
      'Basic realm="ballast", charset="UTF-8"',
    ])
    expect(refused.json()).toMatchObject({ errors: [{ code: 'UNAUTHORIZED' }] })
    expect((await ask('GET', `/cas/${hello}`)).headers['www-authenticate']).toBe('Bearer realm="ballast"')
  })
})
