import type { KernelLock } from './kernel-lock.ts'

export type KernelLockName = 'fs-native-extensions' | 'koffi'

export interface KernelLockSource {
  readonly name: string
  load(): Promise<KernelLock>
}

const sources: Readonly<Record<KernelLockName, KernelLockSource>> = {
  'fs-native-extensions': {
    name: 'fs-native-extensions',
    load: async () => (await import('./fs-native-extensions.ts')).kernelLock,
  },
  koffi: { name: 'koffi', load: async () => (await import('./koffi.ts')).openKoffiLock() },
}

/** Exactly this one. */
export const loadKernelLockNamed = (name: KernelLockName): Promise<KernelLock> => sources[name].load()

/** The first that this system can load: `koffi` is for those where the binary of fs-native-extensions does not run. */
export async function loadKernelLock(
  candidates: readonly KernelLockSource[] = [sources['fs-native-extensions'], sources.koffi],
): Promise<KernelLock> {
  const reasons: string[] = []
  for (const candidate of candidates) {
    try {
      return await candidate.load()
    } catch (error) {
      reasons.push(`${candidate.name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  throw new Error(`this system offers no kernel file locks that Ballast can use (${reasons.join('; ')})`)
}
