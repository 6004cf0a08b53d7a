import type { Suite } from '../case.ts'
import { getAgainstNginx, putAgainstNginxDav } from './message-store/against-nginx.ts'
import { putAgainstRegistry } from './message-store/against-registry.ts'
import { engineAgainstFiles } from './message-store/engine.ts'
import { getAgainstSha256, putAgainstPlain } from './message-store/large.ts'
import { durablePost } from './message-store/posts.ts'
import { seedBenchAgainstNoOp, seedBenchAgainstSanic, seedBenchCeiling } from './message-store/seed-bench.ts'

export const messageStore: Suite = {
  name: 'message-store',
  summary: 'durable writes and verified reads, against memory, files, nginx, a registry and the original',
  cases: [
    durablePost(32),
    durablePost(256),
    engineAgainstFiles,
    getAgainstNginx,
    putAgainstNginxDav,
    putAgainstRegistry,
    putAgainstPlain,
    getAgainstSha256,
    seedBenchAgainstNoOp,
    seedBenchAgainstSanic,
    seedBenchCeiling,
  ],
}
