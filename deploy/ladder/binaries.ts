import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cached, cachedFolder } from '@ballast/backends/cache'

const run = promisify(execFile)
export const kubernetesVersion = 'v1.36.3'

/** What is built, in this order, from which package. */
const programs = {
  'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
  etcd: 'go.etcd.io/etcd/server/v3',
  'kube-controller-manager': 'k8s.io/kubernetes/cmd/kube-controller-manager',
  'kube-scheduler': 'k8s.io/kubernetes/cmd/kube-scheduler',
  kubelet: 'k8s.io/kubernetes/cmd/kubelet',
  'kube-proxy': 'k8s.io/kubernetes/cmd/kube-proxy',
  kwok: 'sigs.k8s.io/kwok/cmd/kwok',
  'metrics-server': 'sigs.k8s.io/metrics-server/cmd/metrics-server',
} as const
const requirements = [
  `k8s.io/kubernetes ${kubernetesVersion}`,
  'go.etcd.io/etcd/server/v3 v3.6.5',
  'sigs.k8s.io/kwok v0.8.0',
  'sigs.k8s.io/metrics-server v0.9.0',
]
const recipe = JSON.stringify({ programs, requirements, layout: 2 })

/** Where the binaries are, if they were built. */
export const builtBinaries = (): string | undefined => cachedFolder('kubernetes', recipe)

/**
 * Kubernetes, etcd, kwok and metrics-server, built once from the Go module proxy into the user's cache: about 10 minutes of two
 * cores. One module for all of them, so that what they share is compiled once.
 */
export async function buildBinaries(say: (line: string) => void): Promise<string> {
  return cached('kubernetes', recipe, async (draft) => {
    const options = await kubernetesModule(draft)
    for (const [name, path] of Object.entries(programs)) say(`built ${name} in ${await buildIn(draft, name, path)}`)
    const kwok = await run('go', ['list', '-m', '-f', '{{.Dir}}', 'sigs.k8s.io/kwok'], options)
    const stages = await run('kubectl', ['kustomize', join(kwok.stdout.trim(), 'kustomize/stage/fast')], options)
    await writeFile(join(draft, 'kwok-stages.yaml'), stages.stdout)
  })
}

const goIn = (folder: string): { cwd: string; env: NodeJS.ProcessEnv; maxBuffer: number } => ({
  cwd: folder,
  env: { ...process.env, GOFLAGS: '-mod=mod', CGO_ENABLED: '0' },
  maxBuffer: 64 << 20,
})

/**
 * Makes `folder` a Go module in which Kubernetes can be built. Kubernetes' own go.mod replaces its parts by folders that its module does
 * not ship; here they are replaced by the releases of the same number.
 */
export async function kubernetesModule(folder: string): Promise<ReturnType<typeof goIn>> {
  await run('go', ['version']).catch(() => {
    throw new Error(
      'this level needs Go 1.26 on PATH, to build Kubernetes once from the Go module proxy (about 10 minutes)',
    )
  })
  const options = goIn(folder)
  const { stdout } = await run('go', ['mod', 'download', '-json', `k8s.io/kubernetes@${kubernetesVersion}`], options)
  const { GoMod: goMod }: { GoMod: string } = JSON.parse(stdout)
  await writeFile(join(folder, 'go.mod'), moduleFile(await readFile(goMod, 'utf8')))
  return options
}

/** Builds one program of the module in `folder` into its `bin`; how long that took. */
export async function buildIn(folder: string, name: string, path: string): Promise<string> {
  const started = performance.now()
  await run('go', ['build', '-trimpath', '-ldflags', flags, '-o', join(folder, 'bin', name), path], goIn(folder))
  return `${((performance.now() - started) / 1000).toFixed(0)} s`
}

const flags = [
  '-s -w',
  ...['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap((path) => {
    const [, minor = ''] = kubernetesVersion.split('.')
    const values = {
      gitVersion: kubernetesVersion,
      gitMajor: '1',
      gitMinor: minor,
      gitTreeState: 'clean',
      gitCommit: 'unknown',
      buildDate: '1970-01-01T00:00:00Z',
    }
    return Object.entries(values).map(([name, value]) => `-X ${path}.${name}=${value}`)
  }),
].join(' ')

function moduleFile(original: string): string {
  const staging = kubernetesVersion.replace('v1.', 'v0.')
  const keep = original.split('\n').filter((line) => /^(go|godebug) /.test(line))
  const replaced = [...original.matchAll(/^\t(k8s\.io\/[a-z0-9-]+) => \.\/staging\//gm)].map(([, name = '']) => name)
  return [
    'module ballast/kubernetes',
    ...keep,
    'require (',
    ...requirements,
    ')',
    'replace (',
    ...replaced.map((name) => `${name} => ${name} ${staging}`),
    ')',
    '',
  ].join('\n')
}
