import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { temporaryFolder } from '@ballast/testing'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { findComposeLoader } from './find-compose.ts'
import { apps, ports as own, root } from './image/apps.ts'
import { variables } from './kustomize/environment.ts'
import { at } from './kustomize/objects.ts'
import { complaintOf, roleOf } from './kustomize/role-config.ts'

interface Service {
  readonly image: string
  readonly profiles?: readonly string[]
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly volumes?: readonly string[]
  readonly ports?: readonly string[]
  readonly read_only?: boolean
  readonly restart?: string
  readonly healthcheck?: { readonly test: readonly string[] }
}

const read = (file: string): Promise<string> => readFile(join(root, 'deploy', file), 'utf8')
const text = await read('compose.yaml')
const { services, volumes }: { services: Record<string, Service>; volumes: object } = parse(text, { merge: true })
const ours = Object.entries(services).filter(([name]) => apps.some((app) => name.startsWith(app.name)))
/** Where each server of the file listens inside of its container. */
const listens: Readonly<Record<string, number>> = {
  redis: 6379,
  postgres: 5432,
  mongo: 27017,
  s3: 9000,
  haproxy: 8080,
  prometheus: 9090,
  grafana: 3000,
  ...Object.fromEntries(ours.map(([name]) => [name, own.http])),
}

test('every role of every app is there, by its image, hardened, on variables and values that it takes', () => {
  const roles = ours.map(([, { image, command }]) => roleOf(image.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1'), command))
  const known = apps.flatMap(({ name, roles }) => roles.map((role) => `${name} ${role}`))
  expect([...new Set(roles)].toSorted()).toEqual(known.toSorted())
  for (const [index, [name, service]] of ours.entries()) {
    expect([name, service.read_only]).toEqual([name, true])
    expect(Object.keys(service.environment ?? {}).filter((variable) => !variables.has(variable))).toEqual([])
    expect(complaintOf(roles[index] ?? '', service.environment ?? {})).toBeUndefined()
  }
})

test('each profile starts what its services depend on, and what is waited for can be waited for', () => {
  for (const [name, { profiles = [], depends_on: needed = {} }] of Object.entries(services)) {
    for (const profile of profiles) {
      const missing = Object.keys(needed).filter((other) => !services[other]?.profiles?.includes(profile))
      expect([name, profile, missing]).toEqual([name, profile, []])
    }
    for (const [other, { condition }] of Object.entries(needed)) {
      const healthy = services[other]?.healthcheck !== undefined
      const ends = services[other]?.restart === undefined
      expect([name, other, condition]).toEqual([
        name,
        other,
        healthy ? 'service_healthy' : ends && 'service_completed_successfully',
      ])
    }
  }
})

test('every address names a service of the same profiles, at the port where it listens', async () => {
  const addresses = Object.entries(services).flatMap(([name, { environment = {} }]) =>
    Object.values(environment).flatMap((value) =>
      [...value.matchAll(/(?:@|\/\/|^)([a-z][\w-]*):(\d+)/g)].map(([, host = '', port]) => ({
        name,
        host,
        port: Number(port),
      })),
    ),
  )
  expect(addresses.length).toBeGreaterThan(8)
  for (const { name, host, port } of addresses) {
    expect({ name, host, port }).toEqual({ name, host, port: listens[host] })
    const profiles = services[name]?.profiles ?? []
    expect(profiles.filter((profile) => !services[host]?.profiles?.includes(profile))).toEqual([])
  }
  const source: unknown = parse(await read('monitoring/grafana/datasources/prometheus.yaml'))
  expect(at(source, 'datasources', 0, 'url')).toBe(`http://prometheus:${listens['prometheus']}`)
})

test('everything listens on loopback only, on ports that are there; files that are mounted exist; images have exact tags', () => {
  const taken = new Set<string>()
  for (const [name, { ports = [], volumes: mounted = [], image }] of Object.entries(services)) {
    for (const port of ports) {
      expect(port).toMatch(new RegExp(`^127\\.0\\.0\\.1:\\d+:${listens[name]}$`))
      expect(taken.has(port.split(':')[1] ?? '')).toBe(false)
      taken.add(port.split(':')[1] ?? '')
    }
    const sources = mounted.map((volume) => volume.split(':')[0] ?? '')
    expect(sources.filter((path) => path.startsWith('.') && !existsSync(join(root, 'deploy', path)))).toEqual([])
    expect(sources.filter((name) => !name.startsWith('.') && at(volumes, name) === undefined)).toEqual([])
    expect(image).toMatch(/:(?!latest)[\w${}:.-]+$/)
  }
})

test('HAProxy has every variable of its configuration, and Prometheus scrapes every process of ours where it shows metrics', async () => {
  const wanted = [...(await read('message-store/haproxy.cfg')).matchAll(/\$\{(\w+)\}/g)].map(([, name = '']) => name)
  expect(Object.keys(services['haproxy']?.environment ?? {})).toEqual(expect.arrayContaining([...new Set(wanted)]))
  const scrape = at(parse(await read('monitoring/prometheus.yaml')), 'scrape_configs', 0, 'dns_sd_configs', 0)
  expect(at(scrape, 'port')).toBe(own.metrics)
  expect(new Set([at(scrape, 'names')].flat())).toEqual(new Set(ours.map(([name]) => name)))
})

const loader = await findComposeLoader(process.env['BACKENDS'] === 'all')
const why = 'no loader of compose in the cache, and no Go to build it: BACKENDS=all builds it'

async function load(...args: string[]): Promise<unknown> {
  const { stdout } = await promisify(execFile)(loader ?? '', args, { cwd: join(root, 'deploy'), maxBuffer: 16 << 20 })
  return parse(stdout)
}

describe.skipIf(loader === undefined)(`compose-go${loader === undefined ? ` (skipped: ${why})` : ''}`, () => {
  test.each(['compose.yaml', 'backends.compose.yaml'])('takes %s', async (file) => {
    const project = await load(file)
    const known: unknown = parse(await read(file), { merge: true })
    expect(Object.keys(at(project, 'services') ?? {}).toSorted()).toEqual(
      Object.keys(at(known, 'services') ?? {}).toSorted(),
    )
    expect(JSON.stringify(project)).not.toMatch(/\$\{/)
  })

  test.each([
    ['an unknown field', 'read_only: true', 'readonly: true', /readonly|additional properties/i],
    ['a dependency that is not there', 'depends_on: { redis:', 'depends_on: { rediss:', /rediss|undefined service/],
    ['a volume that is not declared', "volumes: ['postgres:", "volumes: ['postgress:", /postgress|undefined volume/],
  ])('refuses %s', async (_, from, to, complaint) => {
    await using folder = await temporaryFolder()
    expect(text).toContain(from)
    await writeFile(join(folder.path, 'compose.yaml'), text.replaceAll(from, to))
    await expect(load(join(folder.path, 'compose.yaml'))).rejects.toThrow(complaint)
  })
})
