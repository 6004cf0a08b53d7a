import type { Proof } from './proof.ts'

export const proofs: readonly Proof[] = [
  {
    name: 'counter-kills',
    shows:
      '200 kills of one process, and of three on one file (mode=shared): no answered increment is lost or doubled, in order',
    takes: '26 min on a busy machine',
    project: 'apps/counter',
    file: 'test/kill.e2e.test.ts',
    env: { KILL_ROUNDS: '200' },
    timeoutMs: 1_800_000,
  },
  {
    name: 'counter-process-kills',
    shows:
      '200 kills of --workers 2, and of two processes on each real server: nothing lost, nothing doubled, in order',
    takes: 'about 40 min, estimated from short runs',
    project: 'apps/counter',
    file: 'test/kill-processes.e2e.test.ts',
    env: { KILL_PROCESS_ROUNDS: '200', KILL_MODES: 'workers,redis,postgres,dynamodb' },
    timeoutMs: 7_200_000,
  },
  {
    name: 'counter-crash-images',
    shows:
      '30 images of a disk under commits, for a log and for one file: each holds every answer (root, btrfs-progs; else skipped)',
    takes: '5 min',
    project: 'libs/state-stores',
    file: 'src/counter/crash-image.test.ts',
    env: { CRASH_IMAGES: '30' },
    timeoutMs: 3_600_000,
  },
  {
    name: 'counter-mutants',
    shows:
      'ten dangerous lines (lock, syncs, order, token, fence, versions, resends of the client), each taken out: a test fails each time',
    takes: '30 s',
    project: 'libs/state-stores',
    file: 'src/counter/mutants/mutants.test.ts',
    env: { COUNTER_MUTANTS: '99' },
    timeoutMs: 600_000,
  },
  {
    name: 'message-store-kills',
    shows:
      '200 kills under messages, blobs, batches and resumable uploads: nothing acknowledged is lost, nothing is read that was never complete',
    takes: 'about 30 min, estimated from short runs',
    project: 'apps/message-store',
    file: 'test/kill.e2e.test.ts',
    env: { KILL_ROUNDS: '200' },
    timeoutMs: 3_600_000,
  },
  {
    name: 'message-store-footprint',
    shows:
      '1 GiB written and read in less than 64 MiB of memory; 1,000 readers of 100 MiB who stall, in less than 400 MB',
    takes: '1 min',
    project: 'apps/message-store',
    file: 'test/footprint.e2e.test.ts',
    env: { MEBIBYTES: '1024' },
    timeoutMs: 600_000,
  },
  {
    name: 'message-store-space',
    shows: '10 million messages of 100 bytes take less than 3 times their bytes, and the store opens in less than 2 s',
    takes: 'about 20 min, estimated from short runs',
    project: 'libs/state-stores',
    file: 'src/blob/lmdb/space.test.ts',
    env: { MESSAGES: '10000000' },
    timeoutMs: 7_200_000,
  },
  {
    name: 'load-tolerant-api-kills',
    shows:
      '200 kills of api, consumer, Redis and document store under load: every acknowledged id is stored exactly once, the cap holds',
    takes: 'about 20 min, estimated from short runs',
    project: 'apps/load-tolerant-api',
    file: 'test/real-stores.e2e.test.ts',
    env: { REAL_STORES_KILLS: '200' },
    timeoutMs: 7_200_000,
  },
  {
    name: 'load-tolerant-api-simulator',
    shows:
      '10,000 seeds of stores that fail before and after and of processes that die: nothing lost, nothing doubled; six wrong systems are caught',
    takes: '10 min beside other work, 2 min of processor time',
    project: 'apps/load-tolerant-api',
    file: 'test/simulation/simulation.test.ts',
    env: { SIMULATION_SEEDS: '10000' },
    timeoutMs: 3_600_000,
  },
  {
    name: 'load-tolerant-api-store-faults',
    shows:
      'a document store that is slow, answers too late, or is away, for 60 s each; a full disk: nothing lost or doubled',
    takes: 'about 5 min, estimated from short runs',
    project: 'apps/load-tolerant-api',
    file: 'test/store-faults.e2e.test.ts',
    env: { STORE_FAULT_SECONDS: '60' },
    timeoutMs: 1_200_000,
  },
  {
    name: 'load-tolerant-api-embedded-kills',
    shows:
      '200 kills of api and consumer on the embedded stores: every acknowledged id is stored exactly once, the cap holds',
    takes: 'about 10 min, estimated from short runs',
    project: 'apps/load-tolerant-api',
    file: 'test/crash.e2e.test.ts',
    env: { KILL_ROUNDS: '200' },
    timeoutMs: 3_600_000,
  },
  {
    name: 'scaler-races',
    shows: '2,000 races of an old and a new owner over one tick: nothing doubled, nothing lost',
    takes: 'about 10 min, estimated from short runs',
    project: 'libs/state-stores',
    file: 'src/work-item/postgres-race.test.ts',
    env: { RACE_ROUNDS: '2000' },
    timeoutMs: 3_600_000,
  },
  {
    name: 'scaler-simulator',
    shows: '10,000 seeds of simulated faults over the code of workers and control planes: every invariant holds',
    takes: '12 min beside other work',
    project: 'apps/scaler',
    file: 'test/simulator/simulator.test.ts',
    env: { SIMULATOR_SEEDS: '10000' },
    timeoutMs: 14_400_000,
  },
  {
    name: 'scaler-simulator-large',
    shows: '10,000 workers and 100 million rows, by slots: even, moved by the minimum, no slot left alone',
    takes: '9 min beside other work',
    project: 'apps/scaler',
    file: 'test/simulator/aggregated.test.ts',
    env: {
      SIMULATOR_WORKERS: '10000',
      SIMULATOR_ROWS: '100000000',
      SIMULATOR_SLOTS: '1048576',
      SIMULATOR_EVENTS: '100',
    },
    timeoutMs: 7_200_000,
  },
  {
    name: 'scaler-faults',
    shows:
      '100 kills, stops, ends, cuts and delays of real processes: 0 ticks doubled, 0 lost, 0 stale writes; prints the longest unowned window',
    takes: 'about 15 min, estimated from short runs',
    project: 'apps/scaler',
    file: 'test/faults.e2e.test.ts',
    env: { FAULT_ROUNDS: '100' },
    timeoutMs: 14_400_000,
  },
  {
    name: 'scaler-failover',
    shows:
      '10 fail-overs to a synchronous standby, 10 to an asynchronous one, under work: nothing doubled, no stale writer; what the tail cost',
    takes: 'about 10 min, estimated from short runs',
    project: 'apps/scaler',
    file: 'test/failover.e2e.test.ts',
    env: { FAILOVER_ROUNDS: '10' },
    timeoutMs: 7_200_000,
  },
  {
    name: 'message-store-cassandra-nodes',
    shows:
      'three Cassandra nodes, killed in turn under writes and reads: 0 acknowledged lost, failures cured within 5 s',
    takes: '8 min',
    project: 'libs/state-stores',
    file: 'src/blob/cassandra/nodes.test.ts',
    env: { NODE_KILL_ROUNDS: '6' },
    timeoutMs: 3_600_000,
  },
  {
    name: 'backend-faults',
    shows:
      'each service, its server paused for 20 s: an error that names it in time, never a hang; then it goes on by itself',
    takes: '6 min',
    project: 'tools',
    file: 'paused-servers/paused-servers.test.ts',
    env: { PAUSE_SECONDS: '20' },
    timeoutMs: 300_000,
  },
]
