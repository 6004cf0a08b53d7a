import { execFile } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { cached } from '@ballast/backends/cache'
import { buildIn, kubernetesModule, kubernetesVersion } from './binaries.ts'

const run = promisify(execFile)
const program = 'k8s.io/kubernetes/cmd/kubectl'
/** What the manifests need: `preStop.sleep`, and kustomize 5. Debian 12 has 1.20. */
const oldestMinor = 30

/** Whether this answer of `kubectl version --client` is of one that will do. */
export const isRecent = (answer: string): boolean => Number(/\bv1\.(\d+)\./.exec(answer)?.[1]) >= oldestMinor

/**
 * Puts a kubectl first on this process's PATH, unless there is one that will do: built once, with Go, into the user's cache (about two
 * minutes of two cores where nothing of Kubernetes was compiled before).
 */
export async function haveKubectl(say: (line: string) => void): Promise<void> {
  const { stdout } = await run('kubectl', ['version', '--client']).catch(() => ({ stdout: '' }))
  if (isRecent(stdout)) return
  const folder = await cached('kubectl', `${program} ${kubernetesVersion}`, async (draft) => {
    await kubernetesModule(draft)
    say(`built kubectl in ${await buildIn(draft, 'kubectl', program)}`)
  })
  process.env['PATH'] = [join(folder, 'bin'), process.env['PATH']].join(delimiter)
}
