import { hash } from 'node:crypto'
import { mkdir, open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { openBlobStore, type SmallEntry } from '@ballast/state-stores/blob'
import { GroupCommit } from '@ballast/state-stores/group-commit'
import type { BenchCase } from '../../case.ts'
import { closedLoop } from '../../closed-loop.ts'
import { benchFolder } from '../../folder.ts'

const callers = 64

/** 100 bytes that were never there before. */
function fresh(): { readonly bytes: Buffer; readonly digest: string } {
  const bytes = Buffer.from(crypto.randomUUID().padEnd(100, '-'))
  return { bytes, digest: hash('sha256', bytes) }
}

export const engineAgainstFiles: BenchCase = {
  name: 'message-store/engine-vs-files',
  unit: 'puts/s',
  higherIsBetter: true,
  compares: `durable puts of 100 bytes into the LMDB engine with a file each (written, synced, renamed, folder synced), ${callers} at a time`,
  async open(stack, { measureMs }) {
    const [engine, files] = [await benchFolder(stack), await benchFolder(stack)]
    const store = stack.use(await openBlobStore(`lmdb:${engine}`))
    const group = new GroupCommit({
      commit: (entries: readonly SmallEntry[]) => store.putSmall(entries),
      maxItems: 1_000,
      maxQueued: 10_000,
    })
    const put = async (): Promise<void> => {
      const { bytes, digest } = fresh()
      const { outcome } = await group.submit({ name: { namespace: 'messages', key: digest }, digest, bytes })
      if (outcome !== 'created') throw new Error(`a put was ${outcome}`)
    }
    return {
      ours: () => closedLoop(callers, measureMs, put),
      peer: () => closedLoop(callers, measureMs, () => putFile(files)),
    }
  },
}

async function putFile(root: string): Promise<void> {
  const { bytes, digest } = fresh()
  const folder = join(root, digest.slice(0, 2))
  await mkdir(folder, { recursive: true })
  const temporary = join(folder, `${digest}.tmp`)
  const file = await open(temporary, 'wx')
  await file.write(bytes)
  await file.datasync()
  await file.close()
  await rename(temporary, join(folder, digest))
  const directory = await open(folder)
  await directory.sync()
  await directory.close()
}
