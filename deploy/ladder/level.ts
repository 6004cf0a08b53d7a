import type { Kustomize } from '../kustomize/find-kustomize.ts'
import type { Resources } from './resources.ts'

export interface LevelContext {
  /** Empty; what a level leaves there is removed unless it fails. */
  readonly folder: string
  readonly binaries: string
  readonly kustomize: Kustomize
  readonly table: Table
  /** For everything that would outlive this process: it goes when the level ends, however that is. */
  readonly resources: Resources
  /** Of a level that consists of several proofs: only these. */
  readonly only?: readonly string[]
  /** What the level on a node rolls from; the commit before the last change of apps or libs without it. */
  readonly from?: string
}

/** Throws what is wrong, in one sentence. */
export type Level = (context: LevelContext) => Promise<void>

/** What was measured, printed as it comes. */
export interface Table {
  add(what: string, figure: string): void
}
