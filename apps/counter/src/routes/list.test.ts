import { expect, test } from 'vitest'
import { testApp } from '../test-app.ts'

test('counters come in order of their names, a page at a time, within a namespace if asked', async () => {
  const { app, store } = await testApp()
  await store.commit(['b/1', 'b/2', 'b/3', 'a/1', 'bb/1'].map((name) => ({ kind: 'add', name, by: 1n })))
  const pages: string[][] = []
  let after: string | null = ''
  while (after !== null) {
    const query: Record<string, string> = { namespace: 'b', limit: '2', ...(after !== '' && { after }) }
    const { counters, next } = (await app.inject({ url: '/v1/counters', query })).json()
    pages.push(counters.map(({ name }: { name: string }) => name))
    after = next
  }
  expect(pages).toEqual([['1', '2'], ['3']])
  const all = (await app.inject('/v1/counters')).json()
  expect(all.counters.map(({ namespace }: { namespace: string }) => namespace)).toEqual(['a', 'b', 'b', 'b', 'bb'])
  expect(all.next).toBeNull()
})

test('a beginning of a name finds what follows it, within a namespace too', async () => {
  const { app, store } = await testApp()
  const names = ['shop/orders', 'shop/orders.eu', 'shop/visits', 'shops/orders', 'a/shop']
  await store.commit(names.map((name) => ({ kind: 'add', name, by: 1n })))
  const found = async (query: Record<string, string>): Promise<string[]> => {
    const { counters } = (await app.inject({ url: '/v1/counters', query })).json()
    return counters.map(({ namespace, name }: { namespace: string; name: string }) => `${namespace}/${name}`)
  }
  await expect(found({ prefix: 'sho' })).resolves.toEqual(names.slice(0, 4))
  await expect(found({ prefix: 'shop/or' })).resolves.toEqual(names.slice(0, 2))
  await expect(found({ namespace: 'shop', prefix: 'v' })).resolves.toEqual(['shop/visits'])
  await expect(found({ prefix: '' })).resolves.toHaveLength(5)
})

test.each(['prefix=a/b/c', 'limit=0', 'limit=1001', 'limit=x', 'after=b', 'namespace=a%20b'])(
  '%s is refused',
  async (query) => {
    const { app } = await testApp()
    const code = query.startsWith('namespace') ? 'invalid-name' : 'invalid-request'
    expect((await app.inject(`/v1/counters?${query}`)).json()).toMatchObject({ status: 400, code })
  },
)
