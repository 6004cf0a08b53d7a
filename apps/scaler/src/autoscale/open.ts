import { kubernetesTarget } from './kubernetes.ts'
import { localTarget, type LocalTargetOptions } from './local.ts'
import { noTarget } from './none.ts'
import type { ScaleTarget } from './target.ts'

/** `none`, `local` or `kubernetes:<statefulset>`. @throws Error one sentence. */
export async function openScaleTarget(text: string, local: LocalTargetOptions): Promise<ScaleTarget> {
  try {
    if (text === 'none') return noTarget()
    if (text === 'local') return localTarget(local)
    if (text.startsWith('kubernetes:')) return await kubernetesTarget(text)
    throw new Error(`${JSON.stringify(text)} is none of none, local and kubernetes:<statefulset>`)
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error)
    throw new Error(`--autoscale-target (SCALER_AUTOSCALE_TARGET): ${what}`, { cause: error })
  }
}
