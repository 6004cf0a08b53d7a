import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { startFixture } from './start-fixture.ts'

async function refused(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  await using fixture = startFixture(args, env)
  expect(await fixture.exit).toEqual({ code: 2, signal: null })
  expect(fixture.stdout).toEqual([])
  expect(fixture.stderr).toHaveLength(1)
  return fixture.stderr[0] ?? ''
}

test('wrong use is one sentence and exit code 2', async () => {
  await expect(refused(['--flush-intervall-ms', '5'])).resolves.toBe(
    'fixture: --flush-intervall-ms is not a flag of this command; did you mean --flush-interval-ms?',
  )
  await expect(refused(['serv'])).resolves.toBe('fixture: serv is not a command; did you mean serve?')
  await expect(refused([], { FIXTURE_SOTRE: 'x' })).resolves.toBe(
    'fixture: the environment variable FIXTURE_SOTRE is not an option of this program; did you mean FIXTURE_STORE?',
  )
  await expect(refused(['--flush-interval-ms', 'soon'])).resolves.toBe(
    'fixture: --flush-interval-ms (FIXTURE_FLUSH_INTERVAL_MS) must be milliseconds, or a number with ms, s, m, h or d, not "soon"',
  )
})

test('--print-config shows every value with its source, and no secret', async () => {
  await using folder = await temporaryFolder()
  const file = join(folder.path, 'fixture.json')
  const password = join(folder.path, 'password')
  await writeFile(file, JSON.stringify({ graceMs: '9s', exitCode: 4, store: 'redis://app:hunter2@host' }))
  await writeFile(password, 'hunter2\n')
  await using fixture = startFixture(['--config', file, '--log-level', 'warn', '--print-config'], {
    FIXTURE_STORE_PASSWORD_FILE: password,
    FLUSH_INTERVAL: '2s',
    FIXTURE_PORT: 'tcp://10.0.0.1:80',
    FIXTURE_SERVICE_HOST: '10.0.0.1',
    FIXTURE_PORT_80_TCP_ADDR: '10.0.0.1',
  })
  await expect(fixture.exit).resolves.toEqual({ code: 0, signal: null })
  const printed = fixture.stdout.join('\n')
  expect(printed).not.toContain('hunter2')
  expect(JSON.parse(printed)).toMatchObject({
    logLevel: { value: 'warn', from: 'flag --log-level' },
    flushIntervalMs: { value: 2_000, from: 'variable FLUSH_INTERVAL' },
    storePassword: { value: '***', from: 'variable FIXTURE_STORE_PASSWORD_FILE' },
    graceMs: { value: 9_000, from: `file ${file}` },
    store: { value: 'redis://app:***@host', from: `file ${file}` },
    drainDelayMs: { value: 0, from: 'default' },
  })
})

test('--help shows flags, variables, defaults and examples; --version the version', async () => {
  await using help = startFixture(['serve', '--help'])
  await expect(help.exit).resolves.toEqual({ code: 0, signal: null })
  const text = help.stdout.join('\n')
  expect(text).toMatch(
    /--flush-interval-ms <ms> +longest time between two flushes\n +FIXTURE_FLUSH_INTERVAL_MS, FLUSH_INTERVAL; default 1s/,
  )
  expect(text).toContain('Examples:\n  fixture --store memory:')
  await using version = startFixture(['--version'])
  await version.exit
  expect(version.stdout).toEqual(['fixture 1.2.3'])
})
