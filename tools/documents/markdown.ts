import { globSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = join(dirname(fileURLToPath(import.meta.url)), '../..')

/** What people read: of the root, of docs/, and of each project. Paths are relative to the root. */
export function documents(): string[] {
  const patterns = ['*.md', 'docs/**/*.md', 'apps/*/README.md', 'libs/*/README.md', 'deploy/README.md']
  return patterns.flatMap((pattern) => globSync(pattern, { cwd: root })).toSorted()
}

export const read = (path: string): string => readFileSync(join(root, path), 'utf8')

export interface Block {
  readonly info: string
  readonly lines: readonly string[]
  /** Of the opening fence, from 1. */
  readonly line: number
}

/** Fenced blocks, in order. */
export function blocksOf(text: string): Block[] {
  const blocks: Block[] = []
  let open: { info: string; lines: string[]; line: number } | undefined
  for (const [index, line] of text.split('\n').entries()) {
    const fence = /^```(.*)$/.exec(line)
    if (fence === null) open?.lines.push(line)
    else if (open === undefined) open = { info: fence[1]?.trim() ?? '', lines: [], line: index + 1 }
    else {
      blocks.push(open)
      open = undefined
    }
  }
  return blocks
}

export const withoutBlocks = (text: string): string => text.replaceAll(/^```[^]*?^```$/gm, '')

/** What stands between single backticks. */
export function codeOf(text: string): string[] {
  return [...withoutBlocks(text).matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code)
}

/** Anchors as GitHub makes them: lower case, no punctuation, spaces become hyphens; a second one of a name gets -1. */
export function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>()
  for (const [, heading = ''] of withoutBlocks(text).matchAll(/^#{1,6} (.+)$/gm)) {
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    const anchor = plain.replaceAll(/[^\p{L}\p{N}_\- ]/gu, '').replaceAll(' ', '-')
    let unique = anchor
    for (let count = 1; anchors.has(unique); count++) unique = `${anchor}-${count}`
    anchors.add(unique)
  }
  return anchors
}

export interface Link {
  readonly target: string
  /** Relative to the root; the document itself for a bare anchor. */
  readonly path: string
  readonly anchor: string | undefined
}

/** Links and pictures that lead into the repository. */
export function linksOf(document: string, text: string): Link[] {
  const targets = [...withoutBlocks(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
  return targets
    .filter((target) => !/^[a-z][a-z+.-]*:/.test(target))
    .map((target) => {
      const [file = '', anchor] = target.split('#', 2)
      return { target, anchor, path: file === '' ? document : posix.join(posix.dirname(document), file) }
    })
}
