import { expect, test } from 'vitest'
import { parseServers } from './servers.ts'

test('several hosts share user, password, database and parameters', () => {
  const url = 'postgres://me:s3cret@one,two:5433/db?target_session_attrs=read-write&sslmode=require'
  expect(parseServers(url)).toEqual({
    urls: ['postgres://me:s3cret@one/db?sslmode=require', 'postgres://me:s3cret@two:5433/db?sslmode=require'],
    names: ['one:5432', 'two:5433'],
    name: 'PostgreSQL at one:5432,two:5433',
  })
})

test.each([
  ['postgres://me:s3cret@one,two:port/db', /cannot be read: write postgres:/],
  ['mysql://one/db', /cannot be read/],
  ['postgres://one/db?sslmod=require', /a parameter "sslmod", which nobody knows/],
  ['postgres://one,two/db?target_session_attrs=standby', /other than read-write and primary/],
])('%s is refused, without the password', (url, what) => {
  expect(() => parseServers(url)).toThrow(what)
  expect(() => parseServers(url)).not.toThrow(/s3cret/)
})
