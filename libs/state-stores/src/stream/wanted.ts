import type { Durability } from './port.ts'

/** Throws one sentence when a backend can never give what is wanted. */
export function refuseUnreachable(backend: string, wanted: Partial<Durability> = {}, best: Durability): void {
  if (wanted.fsyncedLocal === true && !best.fsyncedLocal) {
    throw new Error(`${backend} writes nothing to a disk, and appends that are synced there are wanted`)
  }
  if ((wanted.replicas ?? 0) > best.replicas) {
    throw new Error(`${backend} has no replicas, and ${wanted.replicas} are wanted`)
  }
}
