import { createHash, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { isAlive } from '@ballast/testing'

/** Where fetched servers are kept, outside of any checkout, so that all checkouts share them. */
export const cacheFolder =
  process.env['BALLAST_CACHE'] || join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'ballast')

/** The folder that `cached` filled for this recipe, if it did. */
export function cachedFolder(name: string, recipe: string): string | undefined {
  const target = targetFolder(name, recipe)
  return existsSync(join(target, '.complete')) ? target : undefined
}

function targetFolder(name: string, recipe: string): string {
  return join(cacheFolder, `${name}-${createHash('sha256').update(recipe).digest('hex').slice(0, 16)}`)
}

/**
 * The folder for `recipe` (everything that decides its content: versions, flags), filled by `make` when it is not there.
 * Two processes may ask at once: each fills a draft of its own and the first rename wins; nobody ever sees half of it.
 */
export async function cached(name: string, recipe: string, make: (draft: string) => Promise<void>): Promise<string> {
  const target = targetFolder(name, recipe)
  if (cachedFolder(name, recipe) !== undefined) return target
  const draft = join(cacheFolder, `draft-${name}-${process.pid}-${randomUUID()}`)
  await mkdir(draft, { recursive: true }).catch((cause: unknown) => {
    const what = cause instanceof Error ? cause.message : String(cause)
    throw new Error(
      `${name} cannot be kept in the cache ${cacheFolder} (${what}): name another folder in BALLAST_CACHE`,
      { cause },
    )
  })
  try {
    await progress(`fetching ${name}`, () => make(draft))
    await writeFile(join(draft, '.complete'), recipe)
    await rename(draft, target).catch((error: unknown) => {
      if (!existsSync(join(target, '.complete'))) throw error
    })
  } finally {
    await rm(draft, { recursive: true, force: true })
    await sweepDrafts()
  }
  return target
}

/** Drafts of processes that were killed. */
async function sweepDrafts(): Promise<void> {
  for (const name of await readdir(cacheFolder)) {
    const pid = /^draft-.*-(\d+)-[0-9a-f]{8}-/.exec(name)?.[1]
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(cacheFolder, name), { recursive: true, force: true })
  }
}

async function progress<T>(what: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now()
  if (!process.stderr.isTTY) return work()
  const timer = setInterval(() => {
    process.stderr.write(`\r${what} ... ${((performance.now() - started) / 1000).toFixed(0)} s`)
  }, 500)
  try {
    return await work()
  } finally {
    clearInterval(timer)
    process.stderr.write(`\r${what} ... done in ${((performance.now() - started) / 1000).toFixed(1)} s\n`)
  }
}
