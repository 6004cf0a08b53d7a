import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FencedStore } from '../contract.ts'
import { FileLeaseStore } from '../file.ts'

/** Under the lock that every change of the lease takes. */
export async function fencedInFile(folder: string): Promise<FencedStore> {
  const leases = await FileLeaseStore.open(folder)
  const path = (key: string): string => join(folder, `${key}.data`)
  return {
    write: (key, fence, value) => leases.whileCurrent(key, fence, () => writeFile(path(key), value)),
    read: (key) => readFile(path(key), 'utf8').catch(() => undefined),
    [Symbol.asyncDispose]: () => leases[Symbol.asyncDispose](),
  }
}
