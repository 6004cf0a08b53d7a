import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { apps, root } from './image/apps.ts'
import { variables } from './kustomize/environment.ts'
import { at } from './kustomize/objects.ts'

interface Service {
  readonly image: string
  readonly profiles?: readonly string[]
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly depends_on?: Readonly<Record<string, unknown>>
  readonly volumes?: readonly string[]
  readonly ports?: readonly string[]
  readonly read_only?: boolean
}

const text = await readFile(join(root, 'deploy/compose.yaml'), 'utf8')
const { services, volumes }: { services: Record<string, Service>; volumes: object } = parse(text, { merge: true })
const own = Object.entries(services).filter(([name]) => apps.some((app) => name.startsWith(app.name)))

test('every role of every app is there, by its image, hardened, on variables that it reads', () => {
  const roles = own.map(
    ([, { image, command }]) => `${/ballast}\/([\w-]+):/.exec(image)?.[1]} ${command?.join(' ') ?? 'serve'}`,
  )
  const known = apps.flatMap(({ name, roles }) => roles.map((role) => `${name} ${role}`))
  expect([...new Set(roles)].toSorted()).toEqual(known.toSorted())
  for (const [name, service] of own) {
    expect([name, service.read_only]).toEqual([name, true])
    expect(Object.keys(service.environment ?? {}).filter((variable) => !variables.has(variable))).toEqual([])
  }
})

test('each profile starts what its services depend on', () => {
  for (const [name, { profiles = [], depends_on: needed = {} }] of Object.entries(services)) {
    for (const profile of profiles) {
      const missing = Object.keys(needed).filter((other) => !services[other]?.profiles?.includes(profile))
      expect([name, profile, missing]).toEqual([name, profile, []])
    }
  }
})

test('everything listens on loopback only, files that are mounted exist, and images have exact tags', () => {
  for (const { ports = [], volumes: mounted = [], image } of Object.values(services)) {
    expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([])
    const sources = mounted.map((volume) => volume.split(':')[0] ?? '')
    expect(sources.filter((path) => path.startsWith('.') && !existsSync(join(root, 'deploy', path)))).toEqual([])
    expect(sources.filter((name) => !name.startsWith('.') && at(volumes, name) === undefined)).toEqual([])
    expect(image).toMatch(/:(?!latest)[\w${}:.-]+$/)
  }
})
