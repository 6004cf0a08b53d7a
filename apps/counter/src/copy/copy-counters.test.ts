import { join } from 'node:path'
import { openCounterStore, type CounterStore } from '@ballast/state-stores/counter'
import { temporaryFolder } from '@ballast/testing'
import { expect, onTestFinished, test } from 'vitest'
import { copyCounters } from './copy-counters.ts'

async function file(): Promise<CounterStore> {
  const folder = await temporaryFolder()
  const store = await openCounterStore(`file:${join(folder.path, 'counter.json')}`)
  onTestFinished(async () => {
    await store.close()
    await folder[Symbol.asyncDispose]()
  })
  return store
}

async function filled(): Promise<CounterStore> {
  const store = await openCounterStore('memory:')
  const expiresAtMs = store.nowMs() + 3_600_000
  const names = Array.from({ length: 1_203 }, (_, n) => `n/${n}`)
  await store.commit(names.map((name, n) => ({ kind: 'set', name, to: BigInt(n) - 5n })))
  await store.commit([
    { kind: 'set', name: 'z/expiring', to: -(2n ** 63n), expiresAtMs },
    { kind: 'set', name: 'z/gone', to: 1n },
    { kind: 'remove', name: 'z/gone' },
  ])
  return store
}

const all = async (store: CounterStore) =>
  (await store.scan({ limit: 10_000 })).map(({ name, value, expiresAtMs }) => ({ name, value, expiresAtMs }))

test('values and expiries arrive, and no version of the source can hold in the target', async () => {
  const [source, target] = [await filled(), await file()]
  await expect(copyCounters(source, target, { overwrite: false })).resolves.toEqual({
    copied: 1_204,
    present: 0,
    refused: [],
    differences: [],
  })
  expect(await all(target)).toEqual(await all(source))
  const [before, after] = await Promise.all([source, target].map((store) => store.scan({ limit: 10_000 })))
  const highest = before?.reduce((most, { version }) => (version > most ? version : most), 0n) ?? 0n
  expect(after?.every(({ version }) => version > highest)).toBe(true)
  // One that was removed in the source and is made anew in the target has no old version either.
  await expect(target.commit([{ kind: 'add', name: 'z/gone', by: 1n }])).resolves.toMatchObject([
    { ok: true, value: 1n },
  ])
  const [again] = await target.read(['z/gone'])
  expect((again?.version ?? 0n) > highest).toBe(true)
})

test('no version of a counter that was removed in the source holds in the target, even when there is nothing to copy', async () => {
  const [source, target] = [await openCounterStore('memory:'), await file()]
  const outcomes = await source.commit([
    { kind: 'set', name: 'a/b', to: 1n },
    { kind: 'set', name: 'a/b', to: 2n },
    { kind: 'remove', name: 'a/b' },
  ])
  const old = outcomes.flatMap((outcome) => (outcome.ok ? [outcome.version] : []))
  await expect(copyCounters(source, target, { overwrite: false })).resolves.toMatchObject({
    copied: 0,
    differences: [],
  })
  expect(await all(target)).toEqual([])
  for (const ifVersion of old) {
    await target.commit([{ kind: 'add', name: 'a/b', by: 100n }])
    await expect(target.commit([{ kind: 'set', name: 'a/b', to: 1n, ifVersion }])).resolves.toMatchObject([
      { ok: false, reason: 'version' },
    ])
  }
})

test('one that the target has already, equal but under a lower version, gets a higher one', async () => {
  const [source, target] = [await openCounterStore('memory:'), await file()]
  for (let n = 0; n < 3; n++) await source.commit([{ kind: 'add', name: 'a/b', by: 1n }])
  await target.commit([{ kind: 'set', name: 'a/b', to: 3n }])
  await expect(copyCounters(source, target, { overwrite: false })).resolves.toMatchObject({ copied: 1, present: 0 })
  await target.commit([{ kind: 'add', name: 'a/b', by: 1n }])
  await target.commit([{ kind: 'add', name: 'a/b', by: 1n }])
  await expect(target.commit([{ kind: 'set', name: 'a/b', to: 0n, ifVersion: 3n }])).resolves.toMatchObject([
    { ok: false, reason: 'version' },
  ])
  await expect(copyCounters(source, target, { overwrite: true })).resolves.toMatchObject({ copied: 1, present: 0 })
  await expect(copyCounters(source, target, { overwrite: false })).resolves.toMatchObject({ copied: 0, present: 1 })
})

test('one that was broken off is finished by running it again', async () => {
  const [source, target] = [await filled(), await file()]
  let commits = 0
  const breaking: CounterStore = {
    ...target,
    capabilities: target.capabilities,
    depth: 0,
    nowMs: () => target.nowMs(),
    read: (names) => target.read(names),
    scan: (options) => target.scan(options),
    commit: (ops) => (commits++ === 2 ? Promise.reject(new Error('cut')) : target.commit(ops)),
  }
  await expect(copyCounters(source, breaking, { overwrite: false })).rejects.toThrow('cut')
  await expect(copyCounters(source, target, { overwrite: false })).resolves.toMatchObject({ copied: 704, present: 500 })
  expect(await all(target)).toEqual(await all(source))
})

test('other content in the target is refused, and nothing is changed; --overwrite replaces values and keeps the rest', async () => {
  const [source, target] = [await filled(), await openCounterStore('memory:')]
  await target.commit([
    { kind: 'set', name: 'n/7', to: 99n },
    { kind: 'set', name: 'only/here', to: 1n },
  ])
  const before = await all(target)
  const { copied, refused } = await copyCounters(source, target, { overwrite: false })
  expect([copied, refused]).toEqual([
    0,
    ['n/7 is 2 in the source and 99 in the target', 'only/here is missing in the source and 1 in the target'],
  ])
  expect(await all(target)).toEqual(before)
  await expect(copyCounters(source, target, { overwrite: true })).resolves.toMatchObject({
    copied: 1_204,
    differences: [],
  })
  expect(await all(target)).toHaveLength(1_205)
})

test('a target that does not hold what it was given is told of', async () => {
  const [source, target] = [await filled(), await openCounterStore('memory:')]
  const commit: CounterStore['commit'] = async (ops) => {
    const outcomes = await target.commit(ops)
    await target.commit([{ kind: 'add', name: 'n/0', by: 1n }])
    return outcomes
  }
  const { differences } = await copyCounters(source, { ...target, commit }, { overwrite: false })
  expect(differences).toHaveLength(1)
})
