import { expect, expectTypeOf, test } from 'vitest'
import { defineConfig, type ConfigOf } from './define-config.ts'
import { loadConfig } from './load-config.ts'
import { bytes, durationMs, integer } from './number-options.ts'
import type { Options } from './option.ts'
import { readFlags } from './read-flags.ts'
import { serviceOptions } from './service-options.ts'
import { choice, flag, list, secret, text } from './text-options.ts'

const definition = defineConfig({
  app: 'counter',
  prefix: 'COUNTER',
  summary: 'counts',
  options: {
    store: text({ default: 'file:./counter.json', help: 'where' }),
    region: text({ help: 'which' }),
    flushIntervalMs: durationMs({ default: 1_000, min: 10, help: 'how often', env: ['FLUSH_INTERVAL'] }),
    maxBodyBytes: bytes({ default: 65_536, max: 2 ** 30, help: 'how much' }),
    workers: integer({ default: 1, min: 1, max: 64, help: 'how many' }),
    mode: choice(['exclusive', 'shared'], { default: 'exclusive', help: 'which way' }),
    dryRun: flag({ help: 'only say' }),
    peers: list({ help: 'who else' }),
    password: secret({ help: 'of the store' }),
  },
})

type Files = Readonly<Record<string, string>>

function load(argv: readonly string[] = [], env: Readonly<Record<string, string>> = {}, files: Files = {}) {
  const readFile = (path: string): string => {
    const content = files[path]
    if (content === undefined) throw new Error(`ENOENT: no such file: ${path}`)
    return content
  }
  return loadConfig(definition, readFlags(definition.options, argv), { env, readFile })
}

test('types are exact, the result is frozen', () => {
  const { values } = load()
  expectTypeOf(values).toEqualTypeOf<ConfigOf<typeof definition>>()
  expectTypeOf(values.region).toEqualTypeOf<string | undefined>()
  expectTypeOf(values.flushIntervalMs).toEqualTypeOf<number>()
  expectTypeOf(values.mode).toEqualTypeOf<'exclusive' | 'shared'>()
  expectTypeOf(values.peers).toEqualTypeOf<readonly string[]>()
  expect(values).toEqual({
    store: 'file:./counter.json',
    region: undefined,
    flushIntervalMs: 1_000,
    maxBodyBytes: 65_536,
    workers: 1,
    mode: 'exclusive',
    dryRun: false,
    peers: [],
    password: undefined,
  })
  expect(Object.isFrozen(values)).toBe(true)
})

test('flags win over the environment, it over the file, the file over defaults', () => {
  const files = { 'c.json': '{"store":"file","workers":2,"region":"file"}' }
  const { values, sources } = load(
    ['--config', 'c.json', '--store=flag'],
    { COUNTER_STORE: 'env', COUNTER_REGION: 'env' },
    files,
  )
  expect(values).toMatchObject({ store: 'flag', region: 'env', workers: 2, mode: 'exclusive' })
  expect(sources).toMatchObject({
    store: 'flag --store',
    region: 'variable COUNTER_REGION',
    workers: 'file c.json',
    mode: 'default',
  })
  expect(load([], { COUNTER_CONFIG: 'c.json' }, files).values.store).toBe('file')
})

function quantities(duration: string, size: string): string[] {
  return ['--flush-interval-ms', duration, '--max-body-bytes', size]
}

test('durations and sizes take units', () => {
  expect(load(quantities('1.5s', '64KiB')).values).toMatchObject({ flushIntervalMs: 1_500, maxBodyBytes: 65_536 })
  expect(load(quantities('2m', '1MB')).values).toMatchObject({ flushIntervalMs: 120_000, maxBodyBytes: 1_000_000 })
  expect(load([], {}, {}).values.flushIntervalMs).toBe(1_000)
})

test('flags: switches, their opposite, lists, the last one wins, -- ends them', () => {
  expect(load(['--dry-run', '--peers', 'a,b', '--peers=c', '--workers', '2', '--workers', '3']).values).toMatchObject({
    dryRun: true,
    peers: ['a', 'b', 'c'],
    workers: 3,
  })
  expect(load(['--no-dry-run'], { COUNTER_DRY_RUN: 'true' }).values.dryRun).toBe(false)
  expect(readFlags(definition.options, ['one', '--', '--two']).operands).toEqual(['one', '--two'])
})

test('aliases and files of the environment; the canonical name first; empty counts as unset', () => {
  expect(load([], { FLUSH_INTERVAL: '2s' }).values.flushIntervalMs).toBe(2_000)
  expect(load([], { FLUSH_INTERVAL: '2s', COUNTER_FLUSH_INTERVAL_MS: '3s' }).values.flushIntervalMs).toBe(3_000)
  expect(load([], { COUNTER_STORE: '' }).values.store).toBe('file:./counter.json')
  const { values, sources } = load([], { COUNTER_PASSWORD_FILE: '/run/secrets/p' }, { '/run/secrets/p': 's3cret\n' })
  expect([values.password, sources.password]).toEqual(['s3cret', 'variable COUNTER_PASSWORD_FILE'])
})

test('what Kubernetes injects for Services is no mistake', () => {
  const { values } = load([], {
    COUNTER_PORT: 'tcp://10.0.0.1:80',
    COUNTER_PORT_80_TCP: 'tcp://10.0.0.1:80',
    COUNTER_PORT_80_TCP_PROTO: 'tcp',
    COUNTER_PORT_80_TCP_PORT: '80',
    COUNTER_PORT_80_TCP_ADDR: '10.0.0.1',
    COUNTER_SERVICE_HOST: '10.0.0.1',
    COUNTER_SERVICE_PORT: '80',
    COUNTER_SERVICE_PORT_HTTP: '80',
    COUNTER_METRICS_SERVICE_HOST: '10.0.0.2',
    COUNTER_STORE: 'tcp://10.0.0.3:6379',
  })
  expect(values.store).toBe('file:./counter.json')
})

test.each([
  [['--wokers', '2'], {}, '--wokers is not a flag of this command; did you mean --workers?'],
  [['--zzzzzzzzz'], {}, '--zzzzzzzzz is not a flag of this command; see --help'],
  [['--store'], {}, '--store needs a value'],
  [['--workers', '0'], {}, '--workers (COUNTER_WORKERS) must be between 1 and 64, not 0'],
  [['--workers', '1.5'], {}, '--workers (COUNTER_WORKERS) must be a whole number, not "1.5"'],
  [[], { COUNTER_WORKERS: 'many' }, 'COUNTER_WORKERS (--workers) must be a whole number, not "many"'],
  [[], { FLUSH_INTERVAL: '1ms' }, 'FLUSH_INTERVAL (--flush-interval-ms) must be at least 10ms, not 1ms'],
  [
    ['--max-body-bytes', '1XB'],
    {},
    '--max-body-bytes (COUNTER_MAX_BODY_BYTES) must be bytes, or a number with KiB, MiB',
  ],
  [['--mode', 'both'], {}, '--mode (COUNTER_MODE) must be one of exclusive, shared, not "both"'],
  [['--dry-run=perhaps'], {}, '--dry-run (COUNTER_DRY_RUN) must be true or false, not "perhaps"'],
  [
    [],
    { COUNTER_WORKER: '2' },
    'the environment variable COUNTER_WORKER is not an option of this program; did you mean COUNTER_WORKERS?',
  ],
  [
    [],
    { COUNTER_PASSWORD: 'a', COUNTER_PASSWORD_FILE: 'b' },
    'COUNTER_PASSWORD and COUNTER_PASSWORD_FILE are both set; keep one',
  ],
  [[], { COUNTER_PASSWORD_FILE: '/none' }, 'COUNTER_PASSWORD_FILE /none cannot be read: ENOENT'],
  [['--config', '/none'], {}, '--config /none cannot be read: ENOENT'],
  [['--config', 'typo.json'], {}, '"stor" in typo.json is not an option; did you mean "store"?'],
  [['--config', 'wrong.json'], {}, '"workers" in wrong.json (--workers) must be a whole number, not true'],
  [['--config', 'list.json'], {}, '--config list.json must hold one JSON object'],
])('%j with %j is refused: %s', (argv, env, message) => {
  const files = { 'typo.json': '{"stor":"x"}', 'wrong.json': '{"workers":true}', 'list.json': '[]' }
  expect(() => load(argv, env, files)).toThrow(message)
})

function define(options: Options) {
  return () => defineConfig({ app: 'counter', prefix: 'COUNTER', summary: '', options })
}

test('names that cannot work are refused when they are defined', () => {
  expect(define({ port: text({ help: '' }) })).toThrow('Kubernetes sets COUNTER_PORT')
  expect(define({ help: text({ help: '' }) })).toThrow('--help belongs to every command')
  expect(define({ a_b: text({ help: '' }) })).toThrow('camelCase')
  expect(define({ key: text({ help: '' }), keyFile: text({ help: '' }) })).toThrow(
    'options key and keyFile both read COUNTER_KEY_FILE',
  )
  expect(define(serviceOptions({ listen: '127.0.0.1:1' }))).not.toThrow()
})
