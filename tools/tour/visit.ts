import { readFile } from 'node:fs/promises'
import { UsageError, messageOf } from '../platform/command-line.ts'
import type { ChapterContext } from './chapter.ts'

/** Where a service that runs elsewhere is reached. */
export interface Target {
  readonly url: string
  /** PEM to trust for https; the system's authorities without it. */
  readonly ca?: string
  /** Sent with every request: credentials. */
  readonly headers: Readonly<Record<string, string>>
}

export type VisitContext = Pick<ChapterContext, 'folder' | 'check' | 'progress'> & Target

/** What can be checked of a service from outside, without ending anything: a smoke test. Leaves nothing behind that counts. */
export interface Visit {
  /** Of the service. */
  readonly name: string
  readonly title: string
  readonly run: (context: VisitContext) => Promise<void>
}

/** `counter=http://host,scaler=https://host` as URLs by name; one of `known` has to be meant by each. */
export function parseTargets(text: string, known: readonly string[]): ReadonlyMap<string, string> {
  const entries = text.split(',').map((part) => {
    const [name = '', url = ''] = part.trim().split(/=(.*)/, 2)
    if (!known.includes(name)) {
      throw new UsageError(`--url wants NAME=URL,NAME=URL with names of ${known.join(', ')}, not "${part}".`)
    }
    if (!URL.canParse(url) || !/^https?:\/\/[^/?#]+\/?$/.test(url)) {
      throw new UsageError(`--url: "${url}" of ${name} is no address such as http://host:8080.`)
    }
    return [name, url] as const
  })
  return new Map(entries)
}

/** The bearer token of a file, as headers. */
export async function credentials(file: string | undefined): Promise<Readonly<Record<string, string>>> {
  if (file === undefined) return {}
  return { authorization: `Bearer ${(await readText(file, '--token-file')).trim()}` }
}

export async function readText(file: string, flag: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw new UsageError(`${flag}: ${messageOf(error)}.`)
  })
}
