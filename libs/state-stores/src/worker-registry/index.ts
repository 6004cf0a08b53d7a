export { openWorkerRegistry } from './open.ts'
export type { AliveWorker, Worker, WorkerRegistry } from './port.ts'
