import type { Platform } from '../platform/platform.ts'
import type { WriteCommands } from './real-stores.ts'

export interface ChapterContext {
  readonly platform: Platform
  /** Of the service. */
  readonly dataDir: string
  /** For files of the chapter; removed after the tour. */
  readonly folder: string
  /** PEM that the TLS listeners of the tour are signed by. */
  readonly ca: string
  /** Write commands that the document store got, when it is a server; embedded ones keep their own account. */
  readonly writeCommands?: () => WriteCommands
  /** States one checked fact with what was measured: "value equals distinct keys", "12 800 of 12 800". */
  readonly check: (fact: string, holds: boolean, measured: string) => void
  /** What goes on meanwhile; shown on a terminal only. */
  readonly progress: (line: string) => void
}

/** One service shown at work; one file of chapters/. */
export interface Chapter {
  /** Of the service. */
  readonly name: string
  readonly title: string
  readonly run: (context: ChapterContext) => Promise<void>
}

export interface CheckedFact {
  readonly chapter: string
  readonly fact: string
  readonly holds: boolean
  readonly measured: string
}
