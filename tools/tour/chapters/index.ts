import type { Chapter } from '../chapter.ts'
import { loadTolerantApi } from './load-tolerant-api.ts'

export const chapters: readonly Chapter[] = [loadTolerantApi]
