export {
  backendKinds,
  BackendUnavailableError,
  type BackendKind,
  type BackendOptions,
  type Durability,
  type Origin,
  type RunningBackend,
} from './backend.ts'
export { sharedBackend, startBackend } from './start.ts'
export {
  startRedisReplicaSet,
  type RedisReplicaSet,
  type RedisReplicaSetOptions,
} from './topology/redis-replica-set.ts'
export { startCassandraNodes, type CassandraNodes, type CassandraNodesOptions } from './topology/cassandra-nodes.ts'
export { startPostgresPair, type PostgresPair, type PostgresPairOptions } from './topology/postgres-pair.ts'
