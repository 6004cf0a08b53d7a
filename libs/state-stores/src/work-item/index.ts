export { startEmbeddedPostgres, type EmbeddedPostgres, type EmbeddedPostgresOptions } from './embedded-postgres.ts'
export { openWorkItemStore, type OpenWorkItemOptions } from './open.ts'
export type * from './port.ts'
export { compareTicks, snapshotTicks, type TickSnapshot, type TickVerdict } from './tick-check.ts'
