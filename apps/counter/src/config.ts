import {
  defineConfig,
  durationMs,
  flag,
  integer,
  list,
  rateLimitOptions,
  serviceOptions,
  taskOptions,
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
    datedKeys: flag({
      help: 'take only a UUIDv7 as Idempotency-Key, and refuse one so old that it may be forgotten, instead of applying it again',
    }),
    maxQueued: integer({ default: 20_000, min: 1, help: 'writes that may wait for a commit; more get 503' }),
    storeTimeoutMs: durationMs({
      default: 5_000,
      min: 100,
      help: 'how long one call to a Redis, PostgreSQL or DynamoDB server may take',
    }),
    auditLog: text({
      help: 'file to which every change is added, durably before it is answered; see counter recount; one per process group',
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
      help: 'how long to wait at start for a process that still has the file; default 1s, with mode=shared 10s',
    }),
  },
})

const store = (help: string) => text({ required: true, help: `${help}: a URL as for counter --store` })

export const recountConfig = defineConfig({
  app: 'counter',
  prefix: 'COUNTER',
  summary: 'Proves that every counter is the sum of the changes in the audit log; exit code 1 when one is not.',
  examples: ['counter recount --store file:/var/lib/counter/counter.json --audit-log /var/lib/counter/audit.log'],
  options: {
    ...taskOptions(),
    store: store('the counters, to which nobody may write meanwhile'),
    auditLog: list({ help: 'the logs of all processes that wrote to it' }),
    json: flag({ help: 'print the result as one JSON object' }),
  },
})

export const copyConfig = defineConfig({
  app: 'counter',
  prefix: 'COUNTER',
  summary: 'Copies all counters from one store to another, and compares them; the services on both must be stopped.',
  examples: [
    'counter copy --from file:/var/lib/counter/counter.json --to postgres://counter@db/counters',
    'counter copy --from redis://a/0 --to redis://b/0 --overwrite',
  ],
  options: {
    ...taskOptions(),
    from: store('where the counters are'),
    to: store('where they shall be'),
    overwrite: flag({ help: 'also if the target has other counters, which stay, or other values, which are replaced' }),
    json: flag({ help: 'print the result as one JSON object' }),
  },
})

export type RecountConfig = ConfigOf<typeof recountConfig>
export type CopyConfig = ConfigOf<typeof copyConfig>
export type ServeConfig = ConfigOf<typeof serveConfig>
