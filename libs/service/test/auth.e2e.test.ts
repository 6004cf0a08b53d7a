import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { startFixture } from './start-fixture.ts'

const line = (role: string, token: string) =>
  `${role}:${token}-owner:${createHash('sha256').update(token).digest('hex')}\n`

test('tokens from a file, read again on SIGHUP; never in the log', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'tokens')
  await writeFile(path, line('admin', 'first'))
  await using fixture = startFixture([
    '--auth',
    'tokens',
    '--auth-tokens',
    path,
    '--listen',
    '0.0.0.0:0',
    '--log-level',
    'trace',
  ])
  const url = (await fixture.url()).replace('0.0.0.0', '127.0.0.1')
  const status = async (token: string) =>
    (await fetch(`${url}/admin`, { headers: { authorization: `Bearer ${token}` } })).status
  expect([await status('first'), await status('second'), (await fetch(`${url}/readyz`)).status]).toEqual([
    200, 401, 200,
  ])
  await writeFile(path, line('admin', 'second'))
  fixture.kill('SIGHUP')
  await fixture.waitForLine(/reloaded tokens/)
  expect([await status('first'), await status('second')]).toEqual([401, 200])
  fixture.kill('SIGTERM')
  await expect(fixture.exit).resolves.toEqual({ code: 0, signal: null })
  expect(fixture.stdout.join('\n')).not.toMatch(/Bearer (first|second)/)
})

test.each([
  [['--auth', 'tokens'], '--auth tokens needs --auth-tokens <file>'],
  [['--auth', 'tokens', '--auth-tokens', '/none'], '--auth-tokens /none cannot be read: ENOENT'],
  [['--auth', 'mtls'], '--auth mtls needs --tls-client-ca <file>, with --tls-cert and --tls-key'],
  [['--tls-cert', '/none'], '--tls-cert and --tls-key belong together; one of them is missing'],
])('%j cannot start: %s', async (args, message) => {
  await using fixture = startFixture(args)
  await expect(fixture.exit).resolves.toEqual({ code: 2, signal: null })
  expect(fixture.stderr).toEqual([expect.stringContaining(`fixture: cannot start: ${message}`)])
})
