import { execFile } from 'node:child_process'
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cached, cachedFolder } from '@ballast/backends/cache'

const run = promisify(execFile)

/** Where each project keeps the definitions of the kinds that our manifests use: Go modules, at the version that is named. */
const modules: readonly (readonly [module: string, folder: string, ...files: string[]])[] = [
  ['github.com/cert-manager/cert-manager@v1.21.2', 'deploy/crds', 'cert-manager.io_certificates.yaml'],
  ['github.com/cloudnative-pg/cloudnative-pg@v1.28.0', 'config/crd/bases', 'postgresql.cnpg.io_clusters.yaml'],
  [
    'github.com/kedacore/keda/v2@v2.21.0',
    'config/crd/bases',
    'keda.sh_scaledobjects.yaml',
    'keda.sh_triggerauthentications.yaml',
  ],
  [
    'github.com/prometheus-operator/prometheus-operator@v0.85.0',
    'example/prometheus-operator-crd',
    'monitoring.coreos.com_podmonitors.yaml',
    'monitoring.coreos.com_prometheusrules.yaml',
  ],
  [
    'sigs.k8s.io/gateway-api@v1.6.3',
    'config/crd/standard',
    'gateway.networking.k8s.io_backendtlspolicies.yaml',
    'gateway.networking.k8s.io_httproutes.yaml',
  ],
]
const recipe = JSON.stringify(modules)

/**
 * Folder with the CustomResourceDefinitions of other people's kinds, as those people publish them: from the cache, or, with
 * `fetch` and Go, from the Go module proxy (27 MB, once). Undefined where they cannot be had.
 */
export async function foreignSchemas(fetch: boolean): Promise<string | undefined> {
  const folder = cachedFolder('kinds', recipe)
  if (folder !== undefined || !fetch) return folder
  if ((await run('go', ['version']).catch(() => undefined)) === undefined) return undefined
  return cached('kinds', recipe, async (draft) => {
    for (const [module, from, ...files] of modules) {
      const { stdout } = await run('go', ['mod', 'download', '-json', module], { cwd: draft })
      const { Dir: sources }: { Dir: string } = JSON.parse(stdout)
      for (const file of files) await copyFile(join(sources, from, file), join(draft, file))
    }
  })
}
