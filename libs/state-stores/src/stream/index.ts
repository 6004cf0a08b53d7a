export { openStream } from './open.ts'
export { mostPartitions, openPartitions, type PartitionsOptions } from './open-partitions.ts'
export type { PartitionedStream } from './partitioned.ts'
export {
  type AppendOutcome,
  type Attendant,
  type Backlog,
  type Burial,
  type BuriedDocument,
  type Claimed,
  type ClaimRequest,
  type DeadDocument,
  defaultBounds,
  defaultClaimTimeoutMs,
  type Durability,
  type Entry,
  type Incarnation,
  type QueuedEntry,
  type ReplayOutcome,
  type Roster,
  type SettleOutcome,
  type SlotRequest,
  type StreamBounds,
  type StreamOptions,
  type WriteStream,
} from './port.ts'
