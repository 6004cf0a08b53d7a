import {
  defineConfig,
  durationMs,
  integer,
  list,
  rateLimitOptions,
  serviceOptions,
  text,
  workerOptions,
  type ConfigOf,
} from '@ballast/service'

export const serveConfig = defineConfig({
  app: 'counter',
  prefix: 'COUNTER',
  summary: 'Durable counters over HTTP: an answered increment is never lost and never doubled.',
  examples: [
    'counter --store file:/var/lib/counter/counter.json',
    'COUNTER_STORE=postgres://counter:password@db:5432/counters counter',
    'COUNTER_STORE=memory: counter --listen 127.0.0.1:0',
  ],
  options: {
    ...serviceOptions({ listen: '127.0.0.1:4001' }),
    ...workerOptions(),
    ...rateLimitOptions(),
    store: text({
      default: 'file:./.data/counter/counter.json',
      help: 'where the counters live: file:<path> (made if missing), redis://user:password@host:port/0, postgres://user:password@host:port/database, dynamodb:///table?region=..., or memory: to forget them at the end',
    }),
    tokenWindowMs: durationMs({ default: 600_000, min: 1_000, help: 'how long an Idempotency-Key is remembered' }),
    maxTokens: integer({
      default: 100_000,
      min: 0,
      help: 'how many are remembered; while that many are, requests with new ones get 429',
    }),
    maxQueued: integer({ default: 20_000, min: 1, help: 'writes that may wait for a commit; more get 503' }),
    storeTimeoutMs: durationMs({
      default: 5_000,
      min: 100,
      help: 'how long one call to a Redis, PostgreSQL or DynamoDB server may take',
    }),
    buffered: list({
      help: 'counters whose plain additions are answered 202 before they are durable: namespace/name, or a beginning and *',
    }),
    flushIntervalMs: durationMs({
      default: 1_000,
      min: 1,
      help: 'how long such an addition may wait to become durable; so much is lost with the process',
    }),
    maxStreams: integer({
      default: 10_000,
      help: 'readers that may follow counters by server-sent events, per process',
    }),
    streamPollMs: durationMs({
      default: 500,
      min: 10,
      help: 'how often counters that are followed are read, for changes that other processes make',
    }),
    lockTimeoutMs: durationMs({
      default: 1_000,
      help: 'how long to wait at start for a process that still has the file',
    }),
  },
})

export type ServeConfig = ConfigOf<typeof serveConfig>
