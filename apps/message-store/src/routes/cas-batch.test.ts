import { createHash } from 'node:crypto'
import { MemoryBlobStore } from '@ballast/state-stores/blob/memory'
import { expect, test } from 'vitest'
import { testApp } from '../test-app.ts'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const blob = (text: string, digest = sha256(text)) => ({ digest, base64: Buffer.from(text).toString('base64') })
const words = ['one', 'two', 'three', 'four']

async function batch(store = new MemoryBlobStore()) {
  const { app } = await testApp({ store })
  const ask = async (what: string, payload: object) => {
    const answer = await app.inject({ method: 'POST', url: `/cas/batch/${what}`, payload })
    return { status: answer.statusCode, body: answer.json<Record<string, unknown>>() }
  }
  return { app, ask, store }
}

test('many are stored, each for itself; then found; then read', async () => {
  const { ask } = await batch()
  const put = await ask('put', { blobs: [blob('one'), blob('one'), blob('two', sha256('other')), blob('three')] })
  expect(put.body).toEqual({
    blobs: [
      { digest: sha256('one'), status: 'created' },
      { digest: sha256('one'), status: 'exists' },
      { digest: sha256('other'), status: 'digest-mismatch' },
      { digest: sha256('three'), status: 'created' },
    ],
  })
  const digests = [...words.map(sha256), sha256('')]
  const stat = await ask('stat', { digests })
  expect(stat.body).toEqual({
    found: [
      { digest: sha256('one'), sizeBytes: 3 },
      { digest: sha256('three'), sizeBytes: 5 },
      { digest: sha256(''), sizeBytes: 0 },
    ],
    missing: [sha256('two'), sha256('four')],
  })
  const get = await ask('get', { digests })
  expect(get.body).toEqual({
    blobs: [
      { ...blob('one'), status: 'ok' },
      { digest: sha256('two'), status: 'missing' },
      { ...blob('three'), status: 'ok' },
      { digest: sha256('four'), status: 'missing' },
      { ...blob(''), status: 'ok' },
    ],
  })
})

test('a damaged one is none, and fails no other; what is too large is left for a request of its own', async () => {
  const store = new MemoryBlobStore()
  const { ask } = await batch(store)
  const large = 'x'.repeat(1_048_577)
  await store.put({ name: { namespace: 'cas', key: sha256(large) } }, [Buffer.from(large)])
  await ask('put', { blobs: [blob('one'), blob('two')] })
  store.damage(sha256('one'))
  const { body } = await ask('get', { digests: [sha256('one'), sha256(large), sha256('two')] })
  expect(body).toEqual({
    blobs: [
      { digest: sha256('one'), status: 'damaged' },
      { digest: sha256(large), status: 'too-large' },
      { ...blob('two'), status: 'ok' },
    ],
  })
})

test('where there is no room each is told so', async () => {
  const { ask } = await batch(new MemoryBlobStore({ quotaBytes: 3 }))
  const { body } = await ask('put', { blobs: [blob('one'), blob('two')] })
  expect(body).toMatchObject({ blobs: [{ status: 'created' }, { status: 'store-full' }] })
})

test.each([
  ['stat', {}],
  ['stat', { digests: [] }],
  ['stat', { digests: ['x'] }],
  ['get', { digests: [sha256('one').toUpperCase()] }],
  ['put', { blobs: [{ digest: sha256('one') }] }],
  ['put', { blobs: [{ digest: '../x', base64: '' }] }],
])('%s %j is 400', async (what, payload) => {
  const { ask, store } = await batch()
  expect((await ask(what, payload)).status).toBe(400)
  expect(store.usage().entries).toBe(0)
})

test('the list gives each once, in pages', async () => {
  const { app, ask } = await batch()
  const texts = Array.from({ length: 25 }, (_, index) => `${index}`)
  await ask('put', { blobs: texts.map((text) => blob(text)) })
  const seen: string[] = []
  for (let after = ''; ;) {
    const page = await app.inject(`/cas?limit=10${after}`)
    const { entries, next } = page.json<{ entries: { digest: string }[]; next?: string }>()
    seen.push(...entries.map(({ digest }) => digest))
    if (next === undefined) break
    after = `&after=${encodeURIComponent(next)}`
  }
  expect(seen.toSorted()).toEqual(texts.map(sha256).toSorted())
  expect((await app.inject('/cas?limit=0')).statusCode).toBe(400)
})
