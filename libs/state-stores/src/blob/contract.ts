import { describe, expect, test } from 'vitest'
import { expectUsage, starter, type OpenHarness } from './contract/harness.ts'
import { describeCreating } from './contract/creating.ts'
import { describeModel } from './contract/model.ts'
import { describeNames } from './contract/names.ts'
import { describePolicies } from './contract/policies.ts'
import { describeReading } from './contract/reading.ts'
import { describeScrub } from './contract/scrub.ts'
import { describeWriting } from './contract/writing.ts'
import type { BlobLack } from './port.ts'

export type { BlobHarness, OpenHarness } from './contract/harness.ts'

export interface ExpectedCapabilities {
  readonly durable: boolean
  readonly shared: boolean
  readonly lacks: readonly BlobLack[]
}

/** What every blob store must do; `open` gives a fresh one. */
export function describeBlobContract(backend: string, open: OpenHarness, expected: ExpectedCapabilities): void {
  const start = starter(open)
  const lacks = new Set(expected.lacks)
  describe(`${backend}: a blob store`, () => {
    test('says what it can do', async () => {
      const { store } = await start()
      const { lacks: reasons, ...capabilities } = store.capabilities
      expect({ ...capabilities, lacks: Object.keys(reasons).toSorted() }).toEqual({
        ...expected,
        lacks: expected.lacks.toSorted(),
      })
      for (const reason of Object.values(reasons)) expect(reason).toMatch(/^\S+ .*\S$/)
      await expect(store.check()).resolves.toBeUndefined()
      expectUsage(store, { entries: 0, blobs: 0, sizeBytes: 0, quotaBytes: Infinity })
    })
    describeWriting(start, lacks)
    describeCreating(start, lacks, expected.shared)
    describeNames(start, lacks)
    describeReading(start, lacks)
    describeScrub(start, lacks)
    describePolicies(start, lacks)
    describeModel(open, lacks)
  })
}
