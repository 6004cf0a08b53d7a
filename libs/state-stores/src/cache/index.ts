export { memoryCache } from './memory.ts'
export { openCache } from './open.ts'
export type { CacheEntry, CacheStore } from './port.ts'
export { ReadThrough, type ReadThroughCounts, type ReadThroughOptions } from './read-through.ts'
