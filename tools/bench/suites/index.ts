import type { Suite } from '../case.ts'
import { service } from './service.ts'

export const suites: readonly Suite[] = [service]
