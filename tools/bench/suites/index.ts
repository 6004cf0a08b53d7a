import type { Suite } from '../case.ts'

export const suites: readonly Suite[] = []
