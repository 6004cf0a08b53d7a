import { byName, checkAnnouncement, type AliveWorker, type WorkerRegistry } from './port.ts'

/** Seen by this process only, and gone with it. */
export function memoryWorkerRegistry({ now = Date.now }: { readonly now?: () => number } = {}): WorkerRegistry {
  const workers = new Map<string, AliveWorker>()
  const close = async (): Promise<void> => workers.clear()
  return {
    async announce(worker, ttlMs) {
      checkAnnouncement(worker, ttlMs)
      const { name, details } = worker
      workers.set(name, { name, details: { ...details }, untilMs: now() + Math.ceil(ttlMs) })
    },
    async alive() {
      for (const { name, untilMs } of workers.values()) if (now() >= untilMs) workers.delete(name)
      return [...workers.values()].toSorted(byName)
    },
    forget: async (name) => void workers.delete(name),
    check: async () => {},
    close,
    [Symbol.asyncDispose]: close,
  }
}
