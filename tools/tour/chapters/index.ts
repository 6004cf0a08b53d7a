import type { Chapter } from '../chapter.ts'

export const chapters: readonly Chapter[] = []
