import type { Service } from '@ballast/service'
import { openBlobStore, type Damage } from '@ballast/state-stores/blob'
import type { VerifyConfig } from '../config.ts'

/** Reads every blob from end to end; 0: all are what was written. 1: some are not, they are set aside and named. */
export async function verify({ config }: Service<VerifyConfig>, print: (line: string) => void): Promise<number> {
  const onDamage = ({ digest, what }: Damage): void => print(JSON.stringify({ damaged: digest, what }))
  await using store = await openBlobStore(config.store, { onDamage, setting: '--store (MESSAGE_STORE_STORE)' })
  let [blobs, sizeBytes, damaged] = [0, 0, 0]
  for (let after: string | undefined; ;) {
    const page = await store.scrub({ limit: 1_000, ...(after === undefined ? {} : { after }) })
    if (page === undefined)
      throw new Error(
        `${config.store.split(':', 1)[0]}: cannot be verified from here: ${store.capabilities.lacks.scrub}`,
      )
    blobs += page.blobs
    sizeBytes += page.sizeBytes
    damaged += page.damaged
    if (page.next === undefined) break
    after = page.next
  }
  print(JSON.stringify({ blobs, sizeBytes, damaged }))
  return damaged === 0 ? 0 : 1
}
