import type { Measured } from './measure.ts'

/** What `--json` writes: the figures of one run, and what one has to know to believe them. */
export interface BenchResult {
  readonly suite: string
  readonly command: string
  readonly quick: boolean
  /** Processors, memory, Node, load. */
  readonly machine: string
  /** Day, UTC. */
  readonly takenOn: string
  readonly tookSeconds: number
  readonly cases: readonly Measured[]
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

const isMeasured = (value: unknown): value is Measured =>
  isRecord(value) && typeof value['case'] === 'string' && typeof value['ours'] === 'number'

export const isMeasuredList = (value: unknown): value is Measured[] => Array.isArray(value) && value.every(isMeasured)

export const isBenchResult = (value: unknown): value is BenchResult =>
  isRecord(value) &&
  typeof value['suite'] === 'string' &&
  typeof value['machine'] === 'string' &&
  typeof value['takenOn'] === 'string' &&
  isMeasuredList(value['cases'])
