import { describe, expect, test } from 'vitest'
import { starter, type OpenHarness } from './contract/harness.ts'
import { describeModel } from './contract/model.ts'
import { describeNames } from './contract/names.ts'
import { describeReading } from './contract/reading.ts'
import { describeWriting } from './contract/writing.ts'
import type { BlobCapabilities } from './port.ts'

export type { BlobHarness, OpenHarness } from './contract/harness.ts'

/** What every blob store must do; `open` gives a fresh one. */
export function describeBlobContract(backend: string, open: OpenHarness, expected: BlobCapabilities): void {
  const start = starter(open)
  describe(`${backend}: a blob store`, () => {
    test('says what it can do', async () => {
      const { store } = await start()
      expect(store.capabilities).toEqual(expected)
      await expect(store.check()).resolves.toBeUndefined()
      expect(store.usage()).toEqual({ entries: 0, blobs: 0, sizeBytes: 0, quotaBytes: Infinity })
    })
    describeWriting(start)
    describeNames(start)
    describeReading(start)
    describeModel(open)
  })
}
