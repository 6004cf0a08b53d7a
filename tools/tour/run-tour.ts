import { join } from 'node:path'
import type { Platform } from '../platform/platform.ts'
import type { Chapter, CheckedFact } from './chapter.ts'
import type { WriteCommands } from './real-stores.ts'
import { runChapters, type OwnContext, type RunOptions } from './run-chapters.ts'

export interface TourOptions extends RunOptions {
  readonly chapters: readonly Chapter[]
  readonly platform: Platform
  readonly dataDir: string
  readonly ca: string
  /** Of a document store that is a server. */
  readonly writeCommands?: () => WriteCommands
}

/** The chapters on services that the tour has started, and may kill. */
export function runTour({
  chapters,
  platform,
  dataDir,
  ca,
  writeCommands,
  ...rest
}: TourOptions): Promise<CheckedFact[]> {
  const runnable = chapters.map(({ name, title, run }) => {
    const context = { platform, dataDir: join(dataDir, name), ca, ...(writeCommands && { writeCommands }) }
    return { name, title, run: (own: OwnContext) => run({ ...own, ...context }) }
  })
  return runChapters(runnable, rest)
}
