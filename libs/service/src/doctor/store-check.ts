import { existsSync } from 'node:fs'
import { mkdtemp, rm, statfs } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { redactUrl } from '../config/print-config.ts'
import { sentence } from '../process/sentence.ts'
import type { Check } from './check.ts'

/** Longer than a connection takes that can be made at all. */
const lazyMs = 5_000

/** What of an opened store is needed to see that it works. */
export interface Openable extends AsyncDisposable {
  check(): Promise<void>
}

/**
 * Opens the store as a start does, asks it whether it works, and closes it: a server is connected to, with these credentials,
 * and tables that are missing are made, as by the first start. A file or folder that does not exist yet stays so: another one is made beside
 * it for a moment, so that permissions, locks and the kind of file system are seen to do.
 */
export function storeCheck(
  flag: string,
  url: string,
  open: (url: string) => Promise<Openable>,
  patienceMs: number = lazyMs,
): Check {
  const tryOut = (chosen: string): Promise<string> => tryOutWithin(patienceMs, () => open(chosen))
  return {
    name: flag,
    async look() {
      const scheme = /^\s*([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase() ?? ''
      if (scheme === 'memory') {
        await tryOut(url)
        return 'memory: forgets everything when the process ends'
      }
      const place = placeOf(url)
      if (place === undefined) return `${redactUrl(url)} answers (${await tryOut(url)})`
      if (existsSync(place.path)) {
        const took = await tryOut(url)
        return `${place.path} can be used (${took}), ${await roomAt(place.path)}`
      }
      const { folder, took } = await beside(place, tryOut)
      return `${place.path} can be made (${took}), ${await roomAt(folder)}`
    },
  }
}

interface Place {
  readonly scheme: string
  readonly path: string
  readonly query: string
}

/** Of `file:` and `lmdb:` URLs. */
function placeOf(url: string): Place | undefined {
  const found = /^\s*(file|lmdb):(?:\/\/(?=\/))?([^?]+)(\?.*)?$/i.exec(url.trim())
  const [, scheme = '', path = '', query = ''] = found ?? []
  return found === null ? undefined : { scheme: scheme.toLowerCase(), path: resolve(path), query }
}

async function beside(
  { scheme, path, query }: Place,
  tryOut: (url: string) => Promise<string>,
): Promise<{ readonly folder: string; readonly took: string }> {
  const folder = nearest(dirname(path))
  const own = await mkdtemp(join(folder, '.doctor-')).catch((error: unknown) => {
    throw new Error(`${path} cannot be made: the folder ${folder} cannot be written (${sentence(error)})`)
  })
  try {
    return { folder, took: await tryOut(`${scheme}:${join(own, basename(path))}${query}`) }
  } finally {
    await rm(own, { recursive: true, force: true })
  }
}

/** The folder itself, or the one above it that exists. */
const nearest = (folder: string): string => (existsSync(folder) ? folder : nearest(dirname(folder)))

/** How long it took. A store that connects when it is first asked gets some time until it has. */
async function tryOutWithin(patienceMs: number, open: () => Promise<Openable>): Promise<string> {
  const startedMs = performance.now()
  await using store = await open()
  for (;;) {
    try {
      await store.check()
      return `${Math.ceil(performance.now() - startedMs)} ms`
    } catch (error) {
      if (performance.now() - startedMs > patienceMs) throw error
      await delay(100)
    }
  }
}

async function roomAt(path: string): Promise<string> {
  const { bavail, bsize } = await statfs(path)
  return `${((bavail * bsize) / 2 ** 30).toFixed(1)} GiB are free there`
}
