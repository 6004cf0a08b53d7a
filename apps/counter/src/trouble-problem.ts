import type { Problem } from '@ballast/service'
import { troubleOf, type Trouble } from '@ballast/state-stores/counter'
import { problems, type ProblemCode } from './problems.ts'

const codes: Readonly<Record<Trouble['kind'], ProblemCode>> = {
  full: 'store-full',
  'read-only': 'store-read-only',
  damaged: 'store-damaged',
}

const advice: Readonly<Record<Trouble['kind'], string>> = {
  full: 'Free space where the store is, then retry.',
  'read-only': 'Let it be written where the store is, then retry.',
  damaged: 'Who runs this service has to repair it or put a backup in its place, and start it again.',
}

/** The answer to a request that failed because somebody has to see to the store; `undefined` if it failed otherwise. */
export function troubleProblem(cause: unknown): Problem | undefined {
  const trouble = troubleOf(cause)
  if (trouble === undefined) return undefined
  const { kind, detail = 'Nothing was changed' } = trouble
  const headers = { 'retry-after': kind === 'damaged' ? '30' : '1' }
  return problems.create(codes[kind], `${detail}. ${advice[kind]}`, { headers, cause })
}
