export { openWorkItemStore, type OpenWorkItemOptions } from './open.ts'
export { longestWorkerName } from './port.ts'
export type * from './port.ts'
export { compareTicks, snapshotTicks, type TickSnapshot, type TickVerdict } from './tick-check.ts'
