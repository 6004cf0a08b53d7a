import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { testApp } from '../../test-app.ts'

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex')
const hello = `sha256:${sha256('hello')}`
const manifestType = 'application/vnd.oci.image.manifest.v1+json'

type Method = 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE' | 'HEAD'

async function registry(options: Parameters<typeof testApp>[0] = {}) {
  const { app, store } = await testApp(options)
  const ask = async (method: Method, path: string, payload?: string, headers: Record<string, string> = {}) =>
    app.inject({ method, url: path, headers, ...(payload === undefined ? {} : { payload }) })
  const begin = async (repository = 'a/b') =>
    String((await ask('POST', `/v2/${repository}/blobs/uploads/`)).headers.location)
  const push = async (text: string, repository = 'a/b') =>
    ask('POST', `/v2/${repository}/blobs/uploads/?digest=sha256:${sha256(text)}`, text)
  return { ask, begin, push, store }
}

const codeOf = ({ body }: { readonly body: string }): string | undefined => /"code":"([A-Z_]+)"/.exec(body)?.[1]

test('a blob in chunks: each is acknowledged with what is there, out of order is 416, the end has the digest', async () => {
  const { ask, begin, store } = await registry()
  const at = await begin()
  const first = await ask('PATCH', at, 'he', { 'content-range': '0-1' })
  expect([first.statusCode, first.headers.range, first.headers.location]).toEqual([202, '0-1', at])
  const wrong = await ask('PATCH', at, 'lo', { 'content-range': '3-4' })
  expect([wrong.statusCode, wrong.headers.range, codeOf(wrong)]).toEqual([416, '0-1', 'BLOB_UPLOAD_INVALID'])
  const status = await ask('GET', at)
  expect([status.statusCode, status.headers.range]).toEqual([204, '0-1'])
  await ask('PATCH', at, 'll', { 'content-range': '2-3' })
  const end = await ask('PUT', `${at}?digest=${hello}`, 'o', { 'content-range': '4-4' })
  expect([end.statusCode, end.headers['docker-content-digest']]).toEqual([201, hello])
  const read = await ask('GET', String(end.headers.location))
  expect([read.body, read.headers['docker-content-digest']]).toEqual(['hello', hello])
  expect((await ask('GET', at)).statusCode).toBe(404)
  expect(store.usage()?.entries).toBe(1)
})

test('at once, by mount, and refused with the digest of other bytes', async () => {
  const { ask, push, store } = await registry()
  expect((await push('hello')).statusCode).toBe(201)
  const mounted = await ask('POST', `/v2/c/blobs/uploads/?mount=${hello}&from=a/b`)
  expect([mounted.statusCode, mounted.headers.location]).toEqual([201, `/v2/c/blobs/${hello}`])
  const notThere = await ask('POST', `/v2/c/blobs/uploads/?mount=sha256:${sha256('x')}&from=a/b`)
  expect([notThere.statusCode, typeof notThere.headers.location]).toEqual([202, 'string'])
  const wrong = await ask('POST', `/v2/d/blobs/uploads/?digest=${hello}`, 'other')
  expect([wrong.statusCode, codeOf(wrong)]).toEqual([400, 'DIGEST_INVALID'])
  expect((await ask('POST', '/v2/d/blobs/uploads/?digest=md5:1', 'other')).statusCode).toBe(400)
  expect(store.usage()).toMatchObject({ entries: 3, blobs: 2 })
})

test('an upload of one repository is unknown in another', async () => {
  const { ask, begin } = await registry()
  const at = await begin('one')
  const stolen = await ask('PATCH', at.replace('/one/', '/two/'), 'x')
  expect([stolen.statusCode, codeOf(stolen)]).toEqual([404, 'BLOB_UPLOAD_UNKNOWN'])
  expect((await ask('DELETE', at)).statusCode).toBe(204)
})

test('a manifest needs what it refers to, keeps its type, and is found by tag and digest', async () => {
  const { ask, push } = await registry()
  const descriptor = { mediaType: 'x', digest: hello, size: 5 }
  const text = JSON.stringify({ schemaVersion: 2, mediaType: manifestType, config: descriptor, layers: [descriptor] })
  const put = (reference: string, body = text, type = manifestType) =>
    ask('PUT', `/v2/a/b/manifests/${reference}`, body, { 'content-type': type })
  expect(codeOf(await put('t'))).toBe('MANIFEST_BLOB_UNKNOWN')
  await push('hello')
  expect((await put('t')).statusCode).toBe(201)
  expect(codeOf(await put('t', text, 'application/vnd.other'))).toBe('MANIFEST_INVALID')
  expect(codeOf(await put('t', text, 'text/html'))).toBe('MANIFEST_INVALID')
  expect(codeOf(await put(hello))).toBe('DIGEST_INVALID')
  expect((await put('t', '{')).statusCode).toBe(400)
  for (const reference of ['t', `sha256:${sha256(text)}`]) {
    const read = await ask('GET', `/v2/a/b/manifests/${reference}`)
    expect([read.body, read.headers['content-type']]).toEqual([text, manifestType])
    const head = await ask('HEAD', `/v2/a/b/manifests/${reference}`)
    expect([head.statusCode, head.headers['docker-content-digest']]).toEqual([200, `sha256:${sha256(text)}`])
  }
  await put('u')
  await put('v')
  expect((await ask('GET', '/v2/a/b/tags/list')).json()).toEqual({ name: 'a/b', tags: ['t', 'u', 'v'] })
  const page = await ask('GET', '/v2/a/b/tags/list?n=1&last=t')
  expect([page.json<{ tags: string[] }>().tags, page.headers.link]).toEqual([
    ['u'],
    '</v2/a/b/tags/list?n=1&last=u>; rel="next"',
  ])
  expect((await ask('DELETE', '/v2/a/b/manifests/u')).statusCode).toBe(202)
  expect((await ask('DELETE', `/v2/a/b/manifests/sha256:${sha256(text)}`)).statusCode).toBe(202)
  expect(codeOf(await ask('GET', '/v2/a/b/manifests/t'))).toBe('MANIFEST_UNKNOWN')
  expect((await ask('GET', '/v2/a/b/tags/list')).json()).toEqual({ name: 'a/b', tags: [] })
})

test('where nothing is deleted, DELETE is refused', async () => {
  const { ask, push } = await registry({ allowDelete: false })
  await push('hello')
  const answer = await ask('DELETE', `/v2/a/b/blobs/${hello}`)
  expect([answer.statusCode, codeOf(answer)]).toEqual([405, 'UNSUPPORTED'])
})
