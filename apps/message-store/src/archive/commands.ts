import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import type { Service } from '@ballast/service'
import { openBlobStore } from '@ballast/state-stores/blob'
import type { ArchiveConfig } from '../config.ts'
import { archived, restored, type Archived } from './archive.ts'

const setting = '--store (MESSAGE_STORE_STORE)'

/** Writes a new file, durably; 1 when something damaged had to be left out. */
export async function exportArchive(
  { config }: Service<ArchiveConfig>,
  print: (line: string) => void,
): Promise<number> {
  await using store = await openBlobStore(config.store, { setting })
  await using file = await open(config.file, 'wx', 0o600)
  let result: Archived | undefined
  for await (const piece of archived(store, (each) => (result = each))) await file.writeFile(piece)
  await file.sync()
  print(JSON.stringify(result))
  return result?.damaged === 0 ? 0 : 1
}

export async function importArchive({ config }: Service<ArchiveConfig>, print: (line: string) => void): Promise<void> {
  await using store = await openBlobStore(config.store, { setting })
  print(JSON.stringify(await restored(store, createReadStream(config.file))))
}
