import { expect, test } from 'vitest'
import { testApp } from '../test-app.ts'

const url = '/v1/counters/a/b/badge.svg'

test('a badge with the name and the value, or what the caller wants', async () => {
  const { app } = await testApp()
  const first = await app.inject(url)
  expect(first.headers['content-type']).toBe('image/svg+xml; charset=utf-8')
  expect(first.body).toContain('aria-label="b: 0"')
  await app.inject({ method: 'PUT', url: '/v1/counters/a/b', payload: { value: '-9223372036854775808' } })
  const other = await app.inject(`${url}?label=Visits%20%26%20more&color=f60`)
  expect(other.body).toContain('<title>Visits &amp; more: -9223372036854775808</title>')
  expect(other.body).toContain('fill="#f60"')
  const { etag } = other.headers
  expect((await app.inject({ url, headers: { 'if-none-match': String(etag) } })).statusCode).toBe(304)
})

test('nothing in a label becomes markup', async () => {
  const { app } = await testApp()
  const hostile = `"><script>alert('x')</script>`
  const { body, headers } = await app.inject(`${url}?label=${encodeURIComponent(hostile)}`)
  expect(body).not.toMatch(/<script|"">|'x'/)
  expect(body).toContain('&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;')
  expect(headers['content-security-policy']).toContain("default-src 'none'")
})

test.each(['label=', `label=${'x'.repeat(65)}`, 'label=%00', 'color=red', 'color=%23fff', 'color="onload'])(
  '?%s is refused',
  async (query) => {
    const { app } = await testApp()
    expect((await app.inject(`${url}?${query}`)).json()).toMatchObject({ status: 400, code: 'invalid-request' })
  },
)
