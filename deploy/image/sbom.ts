import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { versionOf, type App } from './apps.ts'

interface Component {
  readonly type: 'library' | 'platform'
  readonly name: string
  readonly version: string
  readonly purl: string
  readonly licenses?: readonly object[]
}

/**
 * CycloneDX 1.6 of what is really in an image: the packages whose files the bundle's source maps name (not those that are
 * merely declared), the native packages beside it, and Node. Reproducible: no time, no random serial number.
 */
export async function sbom(app: App, dist: string, staged: string, root: string): Promise<Uint8Array> {
  const folders = new Set([...(await bundledPackages(dist, root)), ...(await packagesIn(join(staged, 'node_modules')))])
  const components = await Promise.all([...folders].map((folder) => component(folder)))
  const unique = new Map(components.map((found) => [found.purl, found]))
  const node: Component = {
    type: 'platform',
    name: 'node',
    version: process.versions.node,
    purl: `pkg:generic/node@${process.versions.node}`,
  }
  const document = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: { type: 'application', name: app.name, version: await versionOf(app) } },
    components: [node, ...[...unique.values()].toSorted((a, b) => (a.purl < b.purl ? -1 : 1))],
  }
  return Buffer.from(`${JSON.stringify(document, null, 1)}\n`)
}

async function bundledPackages(dist: string, root: string): Promise<string[]> {
  const maps = (await readdir(dist)).filter((name) => name.endsWith('.map'))
  const found = new Set<string>()
  for (const name of maps) {
    const { sources }: { sources: string[] } = JSON.parse(await readFile(join(dist, name), 'utf8'))
    for (const source of sources) {
      const folder = /^(?:\.\.\/)*(node_modules\/.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(source)?.[1]
      // A package's own source maps name folders that it does not ship.
      if (folder !== undefined && existsSync(join(root, folder, 'package.json'))) found.add(join(root, folder))
    }
  }
  return [...found]
}

async function packagesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => [])
  const nested = names.map(async (name) => {
    if (!name.startsWith('@')) return [join(folder, name)]
    return (await readdir(join(folder, name))).map((inner) => join(folder, name, inner))
  })
  return (await Promise.all(nested)).flat()
}

async function component(folder: string): Promise<Component> {
  const manifest: { name: string; version: string; license?: unknown } = JSON.parse(
    await readFile(join(folder, 'package.json'), 'utf8'),
  )
  const { name, version, license } = manifest
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`
  const licenses = typeof license === 'string' ? { licenses: [licenseOf(license)] } : {}
  return { type: 'library', name, version, purl, ...licenses }
}

const licenseOf = (text: string): object => (/^[\w.+-]+$/.test(text) ? { license: { id: text } } : { expression: text })
