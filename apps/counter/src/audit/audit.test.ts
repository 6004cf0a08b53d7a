import { appendFile, mkdtemp, open, readFile, rm, writeFile, type FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openCounterStore, type CounterOp, type CounterStore } from '@ballast/state-stores/counter'
import { NotAppliedError, OutcomeUnknownError } from '@ballast/state-stores/outcome'
import { waitUntil } from '@ballast/testing'
import fc from 'fast-check'
import { expect, onTestFinished, test, vi } from 'vitest'
import { refine } from '../attributed-store.ts'
import { AuditLog } from './audit-log.ts'
import { auditedStore, reconcile } from './audited-store.ts'
import { Ledger } from './ledger.ts'
import { readAuditLog } from './read-audit-log.ts'
import { recount } from './recount.ts'

async function scratch(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'audit-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return join(folder, 'audit.log')
}

async function openAudit(path: string, store: CounterStore) {
  const ledger = new Ledger()
  const log = await AuditLog.open(path, (record) => void ledger.enter(record))
  const plain = refine({ ...store, commit: (ops) => store.commit(ops) }, {})
  const statements = await reconcile(plain, ledger, log)
  return { log, statements, audited: auditedStore(plain, log) }
}

const add = (name: string, by = 1n): CounterOp & { kind: 'add' } => ({ kind: 'add', name, by })

test('each change is a line with who, what and when; refusals and replays are none', async () => {
  const path = await scratch()
  const store = await openCounterStore('memory:', { now: () => 1_000 })
  const { log, audited } = await openAudit(path, store)
  const token = { scope: 'anna a/b', key: 'secret', fingerprint: 'f' }
  await audited.commit([{ ...add('a/b', 5n), token }], 'anna')
  await audited.commit([{ ...add('a/b', 5n), token }], 'anna')
  await audited.commit([{ ...add('a/b', 5n), max: 6n }], 'anna')
  await audited.commit([{ kind: 'remove', name: 'a/b' }], 'ben')
  await log.close()
  const text = await readFile(path, 'utf8')
  expect(text).not.toContain('secret')
  const lines = text.trimEnd().split('\n')
  expect(lines.map((line) => JSON.parse(line.slice(17)))).toEqual([
    {
      atMs: 1_000,
      op: 'add',
      name: 'a/b',
      delta: '5',
      value: '5',
      version: '1',
      by: 'anna',
      token: expect.any(String),
    },
    { atMs: 1_000, op: 'remove', name: 'a/b', delta: '-5', value: '0', version: '2', by: 'ben' },
  ])
  await expect(recount(store, [path])).resolves.toMatchObject({ records: 2, differences: [] })
})

test('whatever happens to counters, expiry included, the log adds up to what they are', async () => {
  const operation = fc.oneof(
    fc.record({
      kind: fc.constant('add' as const),
      by: fc.bigInt({ min: -9n, max: 9n }),
      ttlMs: fc.constantFrom(undefined, 5),
    }),
    fc.record({
      kind: fc.constant('set' as const),
      by: fc.bigInt({ min: -9n, max: 9n }),
      ttlMs: fc.constantFrom(undefined, 5),
    }),
    fc.record({ kind: fc.constant('remove' as const), by: fc.constant(0n), ttlMs: fc.constant(undefined) }),
  )
  const step = fc.record({ name: fc.constantFrom('a/b', 'a/c'), operation, passMs: fc.constantFrom(0, 0, 3, 10) })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const path = join(await mkdtemp(join(tmpdir(), 'audit-')), 'audit.log')
      let nowMs = 1_000
      const store = await openCounterStore('memory:', { now: () => nowMs })
      const { log, audited } = await openAudit(path, store)
      for (const { name, operation, passMs } of steps) {
        nowMs += passMs
        const { kind, by, ttlMs } = operation
        const expiry = ttlMs === undefined ? {} : { expiresAtMs: nowMs + ttlMs }
        const op: CounterOp =
          kind === 'remove'
            ? { kind, name }
            : kind === 'set'
              ? { kind, name, to: by, ...expiry }
              : { kind, name, by, ...expiry }
        await audited.commit([op], 'x')
      }
      await log.close()
      const { differences, stated } = await recount(store, [path])
      expect([differences, stated]).toEqual([[], 0])
      await rm(join(path, '..'), { recursive: true })
    }),
    { numRuns: 60 },
  )
})

test('a change the log does not have is found, and so is one that the store does not have', async () => {
  const path = await scratch()
  const store = await openCounterStore('memory:')
  const { log, audited } = await openAudit(path, store)
  await audited.commit([add('a/b'), add('a/c'), add('a/d')], 'x')
  await store.commit([add('a/b'), { kind: 'remove', name: 'a/c' }, add('a/new')])
  await log.close()
  const { differences } = await recount(store, [path])
  expect(differences.map((each) => each.split(' ', 1)[0])).toEqual(['a/b', 'a/new', 'a/c'])
})

test('what was there before the log, or committed by a process that died at once, is stated when it is opened', async () => {
  const path = await scratch()
  const store = await openCounterStore('memory:')
  await store.commit([add('a/before', 7n)])
  const first = await openAudit(path, store)
  expect(first.statements).toBe(1)
  await first.audited.commit([add('a/before'), add('a/gone')], 'x')
  await first.log.close()
  await store.commit([add('a/before', 3n), { kind: 'remove', name: 'a/gone' }])
  const second = await openAudit(path, store)
  expect(second.statements).toBe(2)
  await second.audited.commit([add('a/before')], 'x')
  await second.log.close()
  await expect(recount(store, [path])).resolves.toMatchObject({ differences: [], stated: 3 })
  const third = await openAudit(path, store)
  expect(third.statements).toBe(0)
  await third.log.close()
})

test('the logs of two processes on one store add up together, not alone', async () => {
  const [one, two] = [await scratch(), await scratch()]
  const store = await openCounterStore('memory:')
  const first = await openAudit(one, store)
  await first.audited.commit([add('a/b')], 'x')
  const second = await openAudit(two, store)
  for (let n = 0; n < 5; n++) {
    await second.audited.commit([add('a/b', 10n)], 'y')
    await first.audited.commit([add('a/b')], 'x')
  }
  await first.log.close()
  await second.log.close()
  await expect(recount(store, [one, two])).resolves.toMatchObject({ differences: [] })
  expect((await recount(store, [one])).differences.length).toBeGreaterThan(0)
})

test('a process that finds a counter absent does not contradict what the logs of others tell of its end', async () => {
  const [one, two] = [await scratch(), await scratch()]
  let nowMs = 1_000
  const store = await openCounterStore('memory:', { now: () => nowMs++ })
  const first = await openAudit(one, store)
  const second = await openAudit(two, store)
  await first.audited.commit([add('a/b'), add('a/lost'), add('a/anew')], 'x')
  await second.audited.commit([add('a/b'), add('a/lost')], 'y')
  await second.audited.commit([{ kind: 'remove', name: 'a/b' }], 'y')
  await first.log.close()
  // Nobody wrote these down: the process ended first.
  await store.commit([
    { kind: 'remove', name: 'a/lost' },
    { kind: 'remove', name: 'a/anew' },
  ])
  const again = await openAudit(one, store)
  expect(again.statements).toBe(3)
  await again.log.close()
  await second.audited.commit([add('a/b', 5n), add('a/anew', 5n)], 'y')
  await second.log.close()
  await expect(recount(store, [one, two])).resolves.toMatchObject({ stated: 2, differences: [] })
  // It is believed about what it found, and not about what came later.
  await store.commit([{ kind: 'remove', name: 'a/b' }])
  const { differences } = await recount(store, [one, two])
  expect(differences).toHaveLength(1)
})

test('a torn last line is cut off when the log is opened; any other damage is named and left as it is', async () => {
  const path = await scratch()
  const store = await openCounterStore('memory:')
  const { log, audited } = await openAudit(path, store)
  for (let n = 0; n < 5; n++) await audited.commit([add('a/b')], 'x')
  await log.close()
  const whole = await readFile(path, 'utf8')
  await appendFile(path, whole.slice(0, 50))
  await expect(recount(store, [path])).resolves.toMatchObject({ tornBytes: 50, differences: [] })
  await (await AuditLog.open(path, () => {})).close()
  await expect(readFile(path, 'utf8')).resolves.toBe(whole)
  const lines = whole.trimEnd().split('\n')
  const damaged = [
    whole.replace('"delta":"1"', '"delta":"2"'),
    `${lines.filter((_, index) => index !== 2).join('\n')}\n`,
    `${[lines[1], lines[0], ...lines.slice(2)].join('\n')}\n`,
    `${whole}garbage\n`,
  ]
  for (const content of damaged) {
    await writeFile(path, content)
    await expect(AuditLog.open(path, () => {})).rejects.toThrow(
      /is damaged: line \d, at byte \d+, is not what was written/,
    )
    await expect(readFile(path, 'utf8')).resolves.toBe(content)
  }
})

test('a second process on the same log is refused by name', async () => {
  const path = await scratch()
  const log = await AuditLog.open(path, () => {})
  await expect(AuditLog.open(path, () => {})).rejects.toThrow(
    new RegExp(`written by process ${process.pid} .*--audit-log`),
  )
  await log.close()
})

test('while it cannot be written changes are refused; what was committed is answered once it can be', async () => {
  const path = await scratch()
  const store = await openCounterStore('memory:')
  const { log, audited } = await openAudit(path, store)
  const probe: FileHandle = await open(path, 'r')
  const sync = vi.spyOn(Object.getPrototypeOf(probe), 'datasync').mockRejectedValue(new Error('EIO'))
  await probe.close()
  const token = { scope: 's', key: 'k', fingerprint: 'f' }
  await expect(audited.commit([{ ...add('a/b'), token }], 'x')).rejects.toThrow(OutcomeUnknownError)
  await expect(audited.commit([add('a/b')], 'x')).rejects.toThrow(NotAppliedError)
  await expect(audited.check()).rejects.toThrow('EIO')
  await expect(store.read(['a/b'])).resolves.toMatchObject([{ value: 1n }])
  sync.mockRestore()
  await expect(audited.commit([{ ...add('a/b'), token }], 'x')).resolves.toMatchObject([{ value: 1n, replayed: true }])
  await audited.commit([add('a/b')], 'x')
  await log.close()
  await expect(recount(store, [path])).resolves.toMatchObject({ records: 2, differences: [] })
})

test('nobody is answered before his change is durable in the log', async () => {
  const path = await scratch()
  const store = await openCounterStore('memory:')
  const { log, audited } = await openAudit(path, store)
  const seen: string[] = []
  const probe: FileHandle = await open(path, 'r')
  const prototype: FileHandle = Object.getPrototypeOf(probe)
  await probe.close()
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  vi.spyOn(prototype, 'datasync').mockImplementation(() => released)
  const answer = audited.commit([add('a/b')], 'x').then(() => seen.push('answered'))
  await waitUntil(async () => (await readFile(path, 'utf8')).includes('a/b'))
  seen.push('durable')
  release()
  await answer
  expect(seen).toEqual(['durable', 'answered'])
  await log.close()
  await expect(readAuditLog(path, () => {})).resolves.toMatchObject({ records: 1, tornBytes: 0 })
})
