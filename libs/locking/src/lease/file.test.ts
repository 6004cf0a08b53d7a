import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from '@ballast/testing'
import { describe, expect, test } from 'vitest'
import { describeLeaseContract, type LeaseHarness } from './contract.ts'
import { bootClock, FileLeaseStore, type SharedClock } from './file.ts'
import { fencedInFile } from './test/fenced-file.ts'

const harness = async (clock?: () => SharedClock): Promise<LeaseHarness> => {
  const folder = await temporaryFolder()
  return {
    open: () => FileLeaseStore.open(folder.path, clock && { clock: clock() }),
    openFenced: () => fencedInFile(folder.path),
    forget: (key) => rm(join(folder.path, `${key}.lease`)),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

describeLeaseContract('file', () => harness())

let machines = 0
const ownClock = (): SharedClock => {
  machines += 1
  return { name: `machine ${machines}`, nowMs: () => performance.now() + machines * 1_000_000 }
}
describeLeaseContract('file, from machines whose clocks have nothing in common', () => harness(ownClock), {
  granularityMs: 1,
  expiryBy: 'observer',
})

describe('the file', () => {
  const claim = { nonce: 'a'.repeat(32), holder: 'me', ttlMs: 60_000, timeoutMs: 10_000 }

  test.each(['', '{', '{"epoch":1}', '[]'])('what is no lease is refused and left as it is: %j', async (content) => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'key.lease')
    await writeFile(path, content)
    await using store = await FileLeaseStore.open(folder.path)
    await expect(store.take('key', claim)).rejects.toThrow(`${path} is not a lease: it is left as it is; move it away`)
    await expect(readFile(path, 'utf8')).resolves.toBe(content)
  })

  test('the clock is shared by the processes of this machine, and does not follow the time of day', () => {
    const [one, two] = [bootClock(), bootClock()]
    expect(one.name).toBe(two.name)
    const [before, between, after] = [one.nowMs(), two.nowMs(), one.nowMs()]
    expect(between).toBeGreaterThanOrEqual(before)
    expect(after).toBeGreaterThanOrEqual(between)
  })
})
