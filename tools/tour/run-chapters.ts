import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../platform/command-line.ts'
import type { ChapterContext, CheckedFact } from './chapter.ts'
import { factLine, summaryLine } from './report.ts'

/** What every chapter is given, wherever its service runs. */
export type OwnContext = Pick<ChapterContext, 'folder' | 'check' | 'progress'>

export interface Runnable {
  readonly name: string
  readonly title: string
  readonly run: (context: OwnContext) => Promise<void>
}

export interface RunOptions {
  readonly folder: string
  readonly colour: boolean
  readonly print: (line: string) => void
  readonly progress: (line: string) => void
}

/** One after the other. A chapter that throws is a fact that does not hold; the next one still runs. */
export async function runChapters(
  chapters: readonly Runnable[],
  { folder, colour, print, progress }: RunOptions,
): Promise<CheckedFact[]> {
  const startedMs = performance.now()
  const facts: CheckedFact[] = []
  for (const { name, title, run } of chapters) {
    print(`${name}: ${title}`)
    const check = (fact: string, holds: boolean, measured: string): void => {
      const checked = { chapter: name, fact, holds, measured }
      facts.push(checked)
      print(factLine(checked, colour))
    }
    const own = join(folder, name)
    await mkdir(own, { recursive: true })
    try {
      await run({ folder: own, check, progress })
    } catch (error) {
      check('the chapter ran to its end', false, messageOf(error))
    }
    print('')
  }
  print(summaryLine(facts, performance.now() - startedMs))
  return facts
}
