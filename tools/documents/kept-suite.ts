import { globSync } from 'node:fs'
import type { Measured } from '../bench/measure.ts'
import { read, root } from './markdown.ts'

/** docs/performance/<suite>.json: what one run of a suite measured, and where. */
export interface KeptSuite {
  readonly suite: string
  readonly command: string
  readonly quick: boolean
  /** The first line of the bench's output: processors, memory, Node, load. */
  readonly machine: string
  /** Day, UTC. */
  readonly takenOn: string
  readonly cases: readonly Measured[]
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

const isMeasured = (value: unknown): value is Measured =>
  isRecord(value) && typeof value['case'] === 'string' && typeof value['ours'] === 'number'

export const isMeasuredList = (value: unknown): value is Measured[] => Array.isArray(value) && value.every(isMeasured)

const isKept = (value: unknown): value is KeptSuite =>
  isRecord(value) && typeof value['machine'] === 'string' && isMeasuredList(value['cases'])

export function keptSuites(): KeptSuite[] {
  const files = globSync('docs/performance/*.json', { cwd: root }).toSorted()
  return files.map((file) => {
    const kept: unknown = JSON.parse(read(file))
    if (!isKept(kept)) throw new Error(`${file} was not written by npm run docs -- --measure`)
    return kept
  })
}
