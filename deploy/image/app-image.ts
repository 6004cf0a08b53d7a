import { readFile } from 'node:fs/promises'
import { ports, userId, versionOf, type App } from './apps.ts'
import { layer, type Image, type ProcessConfig } from './oci.ts'
import { entriesOf, type Entry } from './tar.ts'

const seconds = 1_000_000_000

/** How the process of an app runs in its image, whichever tool builds that; `deploy/image/Dockerfile` says the same. */
export async function processConfig(app: App, base: ProcessConfig): Promise<ProcessConfig> {
  const { GIT_REVISION: revision } = process.env
  return {
    ...base,
    User: `${userId}:${userId}`,
    Env: [
      ...(base.Env ?? []).filter((variable) => !/^NODE_(ENV|OPTIONS)=/.test(variable)),
      'NODE_ENV=production',
      `NODE_OPTIONS=${app.nodeOptions ?? ''}`,
      `${app.prefix}_LISTEN=0.0.0.0:${ports.http}`,
      `${app.prefix}_METRICS_LISTEN=0.0.0.0:${ports.metrics}`,
    ],
    Entrypoint: ['/usr/local/bin/node', '/app/main.js'],
    Cmd: [],
    WorkingDir: '/data',
    StopSignal: 'SIGTERM',
    ExposedPorts: { [`${ports.http}/tcp`]: {}, [`${ports.metrics}/tcp`]: {} },
    Healthcheck: {
      Test: ['CMD', '/usr/local/bin/node', '/app/probe.mjs', 'readyz'],
      Interval: 10 * seconds,
      Timeout: 3 * seconds,
      StartPeriod: 10 * seconds,
      Retries: 3,
    },
    Labels: {
      'org.opencontainers.image.title': app.name,
      'org.opencontainers.image.description': app.summary,
      'org.opencontainers.image.version': await versionOf(app),
      'org.opencontainers.image.licenses': 'Apache-2.0',
      // Only where it is given: with it, every commit has an id of its own.
      ...(revision ? { 'org.opencontainers.image.revision': revision } : {}),
    },
  }
}

const isNative = (path: string): boolean => path === 'node_modules' || path.startsWith('node_modules/')

/**
 * The app, as `stage` left it in `staged`, on top of `base`: native packages, which seldom change, are a layer of their own
 * below the bundle. The same files and the same base give the same image id, on any machine and at any time.
 */
export async function appImage(app: App, staged: string, sbom: Uint8Array, base: Image): Promise<Image> {
  const probe = await readFile(new URL('probe.mjs', import.meta.url))
  const natives = await entriesOf(staged, 'app', isNative)
  const bundle: Entry[] = [
    ...(await entriesOf(staged, 'app', (path) => !isNative(path))),
    { kind: 'file', path: 'app/probe.mjs', content: probe },
    { kind: 'file', path: 'app/sbom.cdx.json', content: sbom },
    { kind: 'folder', path: 'data', owner: userId },
  ]
  const layers = await Promise.all([natives, bundle].filter(({ length }) => length > 0).map((part) => layer(part)))
  return { ...base, config: await processConfig(app, base.config), layers: [...base.layers, ...layers] }
}
