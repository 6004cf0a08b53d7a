import type { WorkerRegistry } from '@ballast/state-stores/worker-registry'
import { repeat } from '../repeat.ts'
import { realSurroundings, type Surroundings } from '../surroundings.ts'
import type { Working } from './working.ts'

export interface AnnouncingOptions {
  readonly name: string
  readonly everyMs: number
  readonly ttlMs: number
  readonly details: () => Readonly<Record<string, string>>
  readonly complain: (error: unknown) => void
  readonly surroundings?: Pick<Surroundings, 'delay'>
}

export interface Announcing {
  /** Rejects while the registry cannot be used. */
  check(): Promise<void>
  stop(): Promise<void>
}

/**
 * Tells a registry that this worker is there, beside its work: a registry that is away, empty or slow delays no tick and ends no
 * process, and has everything again one announcement after it is back.
 * @throws Error one sentence: a name that the registry does not take.
 */
export async function startAnnouncing(registry: WorkerRegistry, options: AnnouncingOptions): Promise<Announcing> {
  const { name, everyMs, ttlMs, details, complain, surroundings = realSurroundings } = options
  let wrong: RangeError | undefined
  const step = async (): Promise<void> => {
    try {
      await registry.announce({ name, details: details() }, ttlMs)
    } catch (error) {
      if (error instanceof RangeError) wrong = error
      throw error
    }
  }
  await step().catch(complain)
  if (wrong !== undefined) {
    await registry.close()
    throw new Error(`--registry (SCALER_REGISTRY): ${wrong.message}`)
  }
  const announcing = repeat({ step, pauseMs: () => everyMs, failed: complain }, surroundings)
  return {
    check: () => registry.check(),
    async stop() {
      await announcing.stop()
      await registry.forget(name).catch(complain)
      await registry.close()
    },
  }
}

/** What `HGETALL workers` shows of a worker. */
export function detailsOf(
  { lease, last, draining }: Pick<Working, 'lease' | 'last' | 'draining'>,
  { weight, zone }: { readonly weight: number; readonly zone: string },
): Record<string, string> {
  return {
    rows: String(last?.rows ?? 0),
    slots: String(lease.slots.length),
    epoch: String(lease.fence.epoch),
    lastTick: String(last?.tick ?? 0n),
    weight: String(weight),
    ...(zone !== '' && { zone }),
    ...(draining && { draining: 'true' }),
  }
}
