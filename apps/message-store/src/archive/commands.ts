import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import type { Service } from '@ballast/service'
import { openBlobStore, salvageBlobs } from '@ballast/state-stores/blob'
import type { ArchiveConfig, ExportConfig } from '../config.ts'
import { archived, entriesOf, restored, type Archived } from './archive.ts'

const setting = '--store (MESSAGE_STORE_STORE)'

type Print = (line: string) => void

/** Writes a new file, durably, or to standard output; 1 when something damaged had to be left out. */
export async function exportArchive({ config, log }: Service<ExportConfig>, print: Print): Promise<number> {
  await using stack = new AsyncDisposableStack()
  let lostPages: number | undefined
  const entries = config.salvage
    ? salvageBlobs(config.store, (pages) => (lostPages = pages))
    : entriesOf(stack.use(await openBlobStore(config.store, { setting })))
  let result: Archived | undefined
  const piped = config.file === '-'
  // Opened anew, for what is shared with other processes may not wait for its reader.
  const file = stack.use(await (piped ? open('/dev/stdout', 'a') : open(config.file, 'wx', 0o600)))
  for await (const piece of archived(entries, (each) => (result = each))) await file.writeFile(piece)
  if (!piped) await file.sync()
  const told = lostPages === undefined ? result : { ...result, lostPages }
  if (piped) log.info(told, 'exported')
  else print(JSON.stringify(told))
  return result?.damaged === 0 && (lostPages ?? 0) === 0 ? 0 : 1
}

export async function importArchive({ config }: Service<ArchiveConfig>, print: Print): Promise<void> {
  await using store = await openBlobStore(config.store, { setting })
  print(JSON.stringify(await restored(store, createReadStream(config.file === '-' ? '/dev/stdin' : config.file))))
}
