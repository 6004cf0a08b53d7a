import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { build } from '../../test/fixture/app.ts'
import { testServer } from '../http/test-server.ts'
import { CertificateAuthenticator } from './certificates.ts'
import { TokenAuthenticator } from './tokens.ts'

const hash = (token: string) => createHash('sha256').update(token).digest('hex')
const file = `# who may what
reader:dashboard:${hash('read-me')}

admin:root:${hash('do-all')}
`

async function call(url: string, authorization?: string, method: 'GET' | 'DELETE' = 'GET') {
  const server = testServer('test', { authenticator: new TokenAuthenticator(file, 'tokens') })
  await using app = await build({ server })
  return app.inject({ method, url, headers: authorization === undefined ? {} : { authorization } })
}

test('a token opens what its role reaches', async () => {
  expect((await call('/public')).statusCode).toBe(200)
  expect((await call('/slow?ms=0', 'Bearer read-me')).statusCode).toBe(200)
  const answer = await call('/admin', 'bearer do-all')
  expect([answer.statusCode, answer.json()]).toEqual([200, { you: 'root' }])
})

test.each([
  ['no credentials', undefined],
  ['another scheme', 'Basic cm9vdDpyb290'],
  ['an unknown token', 'Bearer guess'],
  ['the hash instead of the token', `Bearer ${hash('do-all')}`],
  ['an empty token', 'Bearer '],
])('%s is 401 with a challenge', async (_what, authorization) => {
  const answer = await call('/slow?ms=0', authorization)
  expect([answer.statusCode, answer.headers['www-authenticate']]).toEqual([401, 'Bearer realm="ballast"'])
  expect(answer.json()).toMatchObject({ code: 'unauthenticated' })
})

test('a role that does not reach is 403 and says which would; the body is not read before that', async () => {
  const answer = await call('/things/a', 'Bearer read-me', 'DELETE')
  expect(answer.statusCode).toBe(403)
  expect(answer.headers['www-authenticate']).toBe('Bearer realm="ballast", error="insufficient_scope"')
  expect(answer.json()).toMatchObject({
    code: 'forbidden',
    neededRole: 'operator',
    detail: 'DELETE /things/:name needs the role operator; dashboard has reader.',
  })
})

test('metrics are for readers, health for all', async () => {
  expect((await call('/metrics')).statusCode).toBe(401)
  expect((await call('/metrics', 'Bearer read-me')).statusCode).toBe(200)
  expect((await call('/readyz')).statusCode).toBe(200)
})

test('a replaced file counts at once; a broken one changes nothing', async () => {
  const authenticator = new TokenAuthenticator(file, 'tokens')
  await using app = await build({ server: testServer('test', { authenticator }) })
  const status = async (token: string) =>
    (await app.inject({ url: '/admin', headers: { authorization: `Bearer ${token}` } })).statusCode
  expect(await status('do-all')).toBe(200)
  authenticator.replace(`admin:new:${hash('fresh')}`, 'tokens')
  expect([await status('do-all'), await status('fresh')]).toEqual([401, 200])
  expect(() => authenticator.replace('nonsense', 'tokens')).toThrow('line 1 of tokens must read role:name:')
  expect(await status('fresh')).toBe(200)
})

const create = (text: string) => () => new TokenAuthenticator(text, 'tokens')

test('a file that cannot be used is refused with its line, never with its content', () => {
  const secret = 'a-token-pasted-by-mistake'
  expect(create(`reader:a:${hash('a')}\nreader:b:${secret}`)).toThrow(/^line 2 of tokens must read (?!.*pasted)/)
  expect(create(`owner:a:${hash('a')}`)).toThrow('with a role of reader, writer, operator, admin')
  expect(create(`public:a:${hash('a')}`)).toThrow('line 1')
  expect(create('# nobody\n')).toThrow('tokens names nobody')
  expect(() => new CertificateAuthenticator('reader:O=x', 'subjects')).toThrow('role:CN=name or role:OU=unit')
})
