import { defaultBounds, mostPartitions, type StreamBounds } from '@ballast/state-stores/stream'
import {
  bytes,
  choice,
  type ConfigOf,
  type ValuesOf,
  defineConfig,
  durationMs,
  flag,
  integer,
  serviceOptions,
  taskOptions,
  text,
} from '@ballast/service'
import { dialects } from './timestamps.ts'

const app = 'load-tolerant-api'
const prefix = 'LOAD_TOLERANT_API'

const stores = {
  stream: text({
    default: 'lmdb:./.data/load-tolerant-api/stream',
    help: 'the write-behind queue: lmdb:<folder>, redis://host:port/db or memory:',
  }),
  documents: text({
    default: 'lmdb:./.data/load-tolerant-api/documents',
    help: 'where documents end up: lmdb:<folder>, mongodb://host:port/database/collection or memory:',
  }),
}

const queueBounds = {
  queueMaxEntries: integer({ default: 100_000, min: 1, help: 'queue bound: more entries are refused with 503' }),
  queueMaxBytes: bytes({ default: 512 * 2 ** 20, min: 1, help: 'queue bound: more bytes are refused with 503' }),
  queueMaxAgeMs: durationMs({
    default: 15 * 60_000,
    min: 1,
    help: 'queue bound: while the oldest entry is older, writes are refused with 503',
  }),
}

/** The bounds of the queue as its handle wants them. */
export function boundsOf(config: ValuesOf<typeof queueBounds>): StreamBounds {
  const { queueMaxEntries: maxEntries, queueMaxBytes: maxBytes, queueMaxAgeMs: maxOldestAgeMs } = config
  return { ...defaultBounds, maxEntries, maxBytes, maxOldestAgeMs }
}

/** How sentences about stores call what to change. */
export const settings = {
  stream: '--stream (LOAD_TOLERANT_API_STREAM)',
  documents: '--documents (LOAD_TOLERANT_API_DOCUMENTS)',
  cache: '--cache (LOAD_TOLERANT_API_CACHE)',
} as const

export const apiConfig = defineConfig({
  app,
  prefix,
  summary: 'takes writes at any rate, queues them durably and answers',
  examples: ['load-tolerant-api api', 'load-tolerant-api api --listen 127.0.0.1:4004 --queue-max-bytes 1GiB'],
  options: {
    ...serviceOptions({ listen: '127.0.0.1:4004' }),
    ...stores,
    workers: integer({
      default: 1,
      min: 1,
      max: 64,
      env: ['WORKERS'],
      help: 'processes that accept writes, on one address; with more than 1, one further process watches over them',
    }),
    partitions: integer({
      default: 1,
      min: 1,
      max: mostPartitions,
      help: 'parts of the queue that writes are spread over; with more than 1 each part has one active consumer',
    }),
    ...queueBounds,
    wantFsynced: flag({
      help: 'only acknowledge what the queue has synced to its disk: do not start, and refuse with 503, where it does not',
    }),
    wantReplicas: integer({
      help: 'wait until so many replicas of the queue have a write; how many had it in time stands in the answer',
    }),
    storeWaitMs: durationMs({ default: 10_000, min: 1, help: 'longest wait of a request with ?durable=store' }),
    maxStoreWaits: integer({ default: 1000, min: 1, help: 'requests of this process that wait for the store at once' }),
    timestamps: choice(dialects, {
      default: 'node',
      help: 'node: 2026-01-02T03:04:05.678Z; python: 2026-01-02T03:04:05.678000, as the variants of the original have it',
    }),
    maxInFlight: integer({
      default: 16_384,
      min: 1,
      help: 'requests in this process that write or wait to; more are refused with 503',
    }),
    maxWaitMs: durationMs({
      default: 1500,
      min: 1,
      help: 'a request that waited this long for its turn to write is refused with 503',
    }),
    cache: text({
      default: 'memory:',
      help: 'where read values are kept: memory: (each process its own) or redis://host:port/db',
    }),
    cacheTtlMs: durationMs({ default: 60_000, min: 1, help: 'how long a cached read is fresh' }),
    cacheStaleMs: durationMs({ default: 60_000, help: 'how long after that it is served while it is refreshed' }),
    strictAssessment: flag({
      help: '/readyz says 503 also while only the document store is away, as the original assessment has it',
    }),
  },
})
export type ApiConfig = ConfigOf<typeof apiConfig>

export const consumerConfig = defineConfig({
  app,
  prefix,
  summary: 'moves what is queued to the document store, at a bounded rate of write commands',
  examples: ['load-tolerant-api consumer', 'load-tolerant-api consumer --commands-per-second 100'],
  options: {
    ...serviceOptions({ listen: '127.0.0.1:0' }),
    ...stores,
    commandsPerSecond: integer({
      default: 100,
      min: 1,
      max: 100_000,
      help: 'write commands in any sliding second, all consumers of the queue together',
    }),
    maxBatchDocuments: integer({
      default: 20_000,
      min: 1,
      max: 100_000,
      env: ['BATCH_SIZE'],
      help: 'documents in one write command',
    }),
    maxBatchBytes: bytes({
      default: 8 * 2 ** 20,
      min: 1,
      max: 40 * 2 ** 20,
      help: 'bytes claimed for one write command',
    }),
    commandTargetMs: durationMs({
      default: 100,
      min: 1,
      help: 'while what a write command takes because of its size is longer than this, commands become smaller',
    }),
    batchDelayMs: durationMs({ default: 0, help: 'pause after a batch that was not full, to let a larger one gather' }),
    claimTimeoutMs: durationMs({
      default: 30_000,
      min: 100,
      help: 'entries of a consumer that is silent for this long go to another one',
    }),
    maxTakeovers: integer({
      default: 3,
      env: ['MAX_RETRIES'],
      help: 'an entry that more consumers than this have died with is written alone',
    }),
    consumerName: text({ default: 'consumer', help: 'shown as the owner of claims; each start adds a random part' }),
  },
})
export type ConsumerConfig = ConfigOf<typeof consumerConfig>

export const deadConfig = defineConfig({
  app,
  prefix,
  summary: 'lists what no store took, or puts it back into the queue; the consumer then tries it again',
  examples: [
    'load-tolerant-api dead list --reason conflict',
    'load-tolerant-api dead replay --id 650000000102030405000001',
  ],
  operands: { usage: 'list|replay', help: 'what to do with the dead letters', min: 1, max: 1 },
  options: {
    ...taskOptions(),
    stream: stores.stream,
    ...queueBounds,
    id: text({ help: 'only the letter of this id' }),
    reason: text({ help: 'only letters whose reason begins with this' }),
    json: flag({ help: 'print one JSON object a letter, or the outcome as one' }),
  },
})
export type DeadConfig = ConfigOf<typeof deadConfig>

export const verifyConfig = defineConfig({
  app,
  prefix,
  summary: 'proves from the stores that no acknowledged write is lost or there twice; exit 1 if one is',
  examples: ['load-tolerant-api verify', 'load-tolerant-api verify --acknowledged ids.txt --json'],
  options: {
    ...taskOptions(),
    ...stores,
    acknowledged: text({ help: 'file with one acknowledged id a line' }),
    allowQueued: flag({ help: 'an acknowledged id may still be queued (while the consumer runs)' }),
    maxUnacknowledged: integer({
      help: 'most documents that may be there without an acknowledgement: those of requests with unknown outcome',
    }),
    json: flag({ help: 'print the report as JSON' }),
  },
})
export type VerifyConfig = ConfigOf<typeof verifyConfig>
