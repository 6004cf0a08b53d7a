import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../platform/command-line.ts'
import type { Platform } from '../platform/platform.ts'
import type { Chapter, ChapterContext, CheckedFact } from './chapter.ts'
import type { WriteCommands } from './real-stores.ts'
import { factLine, summaryLine } from './report.ts'

export interface TourOptions {
  readonly chapters: readonly Chapter[]
  readonly platform: Platform
  readonly dataDir: string
  readonly folder: string
  readonly ca: string
  /** Of a document store that is a server. */
  readonly writeCommands?: () => WriteCommands
  readonly colour: boolean
  readonly print: (line: string) => void
  readonly progress: (line: string) => void
}

/** Runs the chapters one after the other. A chapter that throws is a fact that does not hold; the next one still runs. */
export async function runTour({
  chapters,
  platform,
  dataDir,
  folder,
  ca,
  writeCommands,
  colour,
  print,
  progress,
}: TourOptions): Promise<CheckedFact[]> {
  const startedMs = performance.now()
  const facts: CheckedFact[] = []
  for (const { name, title, run } of chapters) {
    print(`${name}: ${title}`)
    const note = (fact: string, holds: boolean, measured: string): void => {
      const checked = { chapter: name, fact, holds, measured }
      facts.push(checked)
      print(factLine(checked, colour))
    }
    const own = join(folder, name)
    await mkdir(own, { recursive: true })
    const context: ChapterContext = {
      platform,
      dataDir: join(dataDir, name),
      folder: own,
      ca,
      ...(writeCommands && { writeCommands }),
      check: note,
      progress,
    }
    try {
      await run(context)
    } catch (error) {
      note('the chapter ran to its end', false, messageOf(error))
    }
    print('')
  }
  print(summaryLine(facts, performance.now() - startedMs))
  return facts
}
