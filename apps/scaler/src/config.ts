import { hostname } from 'node:os'
import {
  choice,
  defineConfig,
  durationMs,
  flag,
  integer,
  list,
  rateLimitOptions,
  secret,
  serviceOptions,
  text,
  type ConfigOf,
} from '@ballast/service'
import { strategies } from './control-plane/strategy.ts'

const store = secret({
  default: 'postgres://localhost/ballast',
  help: 'postgres:// URL of the database that holds work_items, and the truth about who owns what; host:port,host:port names a primary and its standbys',
})

/** How sentences about the store call what to change. */
export const storeSetting = '--store (SCALER_STORE)'

export const controlPlaneConfig = defineConfig({
  app: 'scaler',
  prefix: 'SCALER',
  summary: 'decides which worker owns which rows; serves the HTTP API',
  examples: ['scaler control-plane --store postgres://user:password@db/app', 'scaler worker --name worker-0'],
  options: {
    ...serviceOptions({ listen: '127.0.0.1:4003' }),
    ...rateLimitOptions(),
    store,
    leaderTtlMs: durationMs({
      default: 3_000,
      min: 500,
      help: 'a leader that is silent for this long is succeeded; workers go on meanwhile',
    }),
    election: text({
      default: 'database',
      help: 'who may try to lead: database (whoever comes first), or the URL of a lease: kubernetes:, redis://, file:<folder>',
    }),
    joinSettleMs: durationMs({ default: 400, help: 'after a worker joins, wait for others before rows are moved' }),
    rebalanceIntervalMs: durationMs({
      default: 5_000,
      min: 250,
      help: 'move rows because of their numbers at most this often',
    }),
    imbalancePermille: integer({
      default: 5,
      max: 1_000,
      help: 'move rows only when a worker has more than this above its fair share, in thousandths',
    }),
    strategy: choice(strategies, {
      default: 'sticky',
      help: 'who gets which rows; all but sticky are plain hashes, to compare with: they move more or balance worse',
    }),
    zones: choice(['weights', 'spread'], {
      default: 'weights',
      help: 'spread: each --zone of workers gets the same number of rows, however many workers it has',
    }),
    churnBudgetRows: integer({
      default: 0,
      help: 'one plan moves at most so many rows, besides those whose worker is gone; 0: any number',
    }),
    autoscaleTarget: text({
      default: 'none',
      help: 'who runs the workers: local (processes of this machine), kubernetes:<statefulset>, or none (somebody else scales; decisions are only shown)',
    }),
    autoscaleDryRun: flag({ help: 'decide and show, but scale nothing' }),
    scaleUpStep: integer({ default: 4, min: 1, help: 'workers that are added at once' }),
    scaleDownStep: integer({ default: 1, min: 1, help: 'workers that are taken away at once' }),
    scaleUpCooldownMs: durationMs({ default: 5_000, help: 'from one step to the next one up' }),
    scaleDownCooldownMs: durationMs({
      default: 300_000,
      help: 'for so long fewer workers must have been enough before any goes; also from one step to the next one down',
    }),
    scaleSlackPermille: integer({
      default: 100,
      max: 900,
      help: 'fewer workers are enough only when they would have this much room left, in thousandths',
    }),
    schedule: list({ help: 'times of the day with a minimum of workers of their own, in UTC: 08:00-18:00=5' }),
    rowsPerWorker: integer({ default: 10_000, min: 1, help: 'the autoscaler wants a worker for each so many rows' }),
    minWorkers: integer({ default: 1, max: 10_000, help: 'the autoscaler never wants fewer' }),
    maxWorkers: integer({ default: 10, min: 1, max: 10_000, help: 'the autoscaler never wants more' }),
    maxPlansPerSecond: integer({
      default: 2,
      min: 1,
      max: 1_000,
      help: 'plans that are published, whatever the cause',
    }),
    maxJoinsPerSecond: integer({ default: 50, min: 1, max: 10_000, help: 'new workers that are given rows' }),
    auditIntervalMs: durationMs({
      default: 10_000,
      min: 1_000,
      help: 'check this often whether a tick was lost or doubled',
    }),
    auditMaxRows: integer({ default: 20_000, min: 1, help: 'rows that the check covers' }),
  },
})
export type ControlPlaneConfig = ConfigOf<typeof controlPlaneConfig>

export const workerConfig = defineConfig({
  app: 'scaler',
  prefix: 'SCALER',
  summary: 'ticks the rows that it owns, once a second',
  examples: ['scaler worker --name worker-0 --store postgres://user:password@db/app'],
  options: {
    ...serviceOptions({ listen: '127.0.0.1:0' }),
    store,
    name: text({
      default: hostname(),
      help: 'stable over restarts, one of a kind among the living; as in a StatefulSet',
    }),
    zone: text({ default: '', help: 'failure domain: workers of the same zone go down together' }),
    registry: secret({
      help: 'redis:// URL of the hash `workers`, where people and dashboards see who is there; nothing depends on it',
    }),
    restartGraceMs: durationMs({
      default: 0,
      max: 600_000,
      help: 'on SIGTERM keep the rows for the restart of this name, and let others have them when it is not back by then; 0: give them away at once',
    }),
    weight: integer({ default: 1, min: 1, max: 1_000, help: 'share of the rows relative to the other workers' }),
    leaseTtlMs: durationMs({
      default: 3_000,
      min: 500,
      help: 'silent for this long, a worker is held for dead and its rows go to others',
    }),
    drainTimeoutMs: durationMs({
      default: 15_000,
      help: 'on SIGTERM, wait this long for others to take the rows; keep it below --grace-ms',
    }),
    watchLimit: integer({
      default: 50,
      max: 10_000,
      help: 'print the ids of all watched rows up to this many, beyond it their number and a fingerprint',
    }),
  },
})
export type WorkerConfig = ConfigOf<typeof workerConfig>
