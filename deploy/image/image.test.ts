import { execFile, execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, utimesSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startProcess, temporaryFolder, freePort } from '@ballast/testing'
import { beforeAll, describe, expect, test } from 'vitest'
import { apps, root } from './apps.ts'
import { readLayout, type Image } from './oci.ts'

const app = 'counter'
const dist = join(root, 'apps', app, 'dist/main.js')
let folder: Awaited<ReturnType<typeof temporaryFolder>>
let image: Image
let firstLine: string

async function build(target: string): Promise<string> {
  const env = { ...process.env, IMAGE_ENGINE: 'none', BASE_IMAGE: undefined, GIT_REVISION: undefined }
  const { stdout } = await promisify(execFile)('node', ['deploy/image/main.ts', app, target], { cwd: root, env })
  return stdout.trim()
}

const tarOf = (target: string): string => join(target, 'image.tar')
const checksum = async (file: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(file))
    .digest('hex')

beforeAll(async () => {
  folder = await temporaryFolder()
  firstLine = await build(join(folder.path, 'first'))
  const layout = join(folder.path, 'layout')
  execFileSync('mkdir', [layout])
  execFileSync('tar', ['-xf', tarOf(join(folder.path, 'first')), '-C', layout])
  image = await readLayout(layout)
  return () => folder[Symbol.asyncDispose]()
})

/** What `tar -tv` says of the layers that the app adds to its base: `mode owner/group size date time path`. */
function ownEntries(): { mode: string; owner: string; path: string }[] {
  return image.layers.slice(1).flatMap(({ bytes }) => {
    const list = execFileSync('tar', ['-tvz', '--numeric-owner'], { input: bytes, encoding: 'utf8' })
    return list
      .trim()
      .split('\n')
      .map((line) => {
        const [mode = '', owner = '', , , , path = ''] = line.split(/\s+/)
        return { mode, owner, path }
      })
  })
}

test('the same sources give the same bytes, whenever their files were written', { timeout: 120_000 }, async () => {
  utimesSync(dist, new Date(), new Date())
  expect(await build(join(folder.path, 'second'))).toBe(firstLine)
  expect(await checksum(tarOf(join(folder.path, 'second')))).toBe(await checksum(tarOf(join(folder.path, 'first'))))
})

test('runs as nobody, and owns nothing but /data', () => {
  expect(image.config.User).toBe('10001:10001')
  expect(ownEntries().filter(({ owner }) => owner !== '0/0')).toEqual([
    { mode: 'drwxr-xr-x', owner: '10001/10001', path: 'data/' },
  ])
  expect(ownEntries().filter(({ mode }) => /^.....w|^........w|s/.test(mode))).toEqual([])
})

test('has no shell and no package manager', () => {
  const all = image.layers.flatMap(({ bytes }) =>
    execFileSync('tar', ['-tz'], { input: bytes, encoding: 'utf8' }).split('\n'),
  )
  expect(all).toContain('usr/local/bin/node')
  expect(all.filter((path) => /(^|\/)(sh|bash|dash|busybox|npm|npx|apt|apt-get)$/.test(path))).toEqual([])
})

test('carries its labels, its probe and what it is made of', async () => {
  expect(image.config.Labels).toMatchObject({
    'org.opencontainers.image.title': app,
    'org.opencontainers.image.version': '0.1.0',
    'org.opencontainers.image.licenses': 'Apache-2.0',
  })
  expect(image.config.Healthcheck?.Test).toEqual(['CMD', '/usr/local/bin/node', '/app/probe.mjs', 'readyz'])
  const bom: { components: { name: string; version: string }[] } = JSON.parse(
    await readFile(join(folder.path, 'first/sbom.cdx.json'), 'utf8'),
  )
  const names = bom.components.map(({ name }) => name)
  // Bundled, native, and the platform; and not what is only declared for tests.
  expect(names).toEqual(expect.arrayContaining(['fastify', 'ioredis', 'fs-native-extensions', 'node']))
  expect(names).not.toContain('vitest')
})

test('adds less than 60 MB to its base', () => {
  expect(Number(/([\d.]+) MB over/.exec(firstLine)?.[1])).toBeLessThan(60)
})

test('the Dockerfile, which engines build from, says the same as the image that is built without one', async () => {
  const text = (await readFile(join(root, 'deploy/image/Dockerfile'), 'utf8')).replaceAll('${PREFIX}', 'COUNTER')
  const { Env = [], Entrypoint, ExposedPorts = {}, User, WorkingDir, StopSignal, Healthcheck } = image.config
  const own = Env.filter((variable) => !variable.startsWith('PATH='))
  for (const variable of own) expect(text).toContain(variable)
  expect(text).toContain(`ENTRYPOINT ${JSON.stringify(Entrypoint).replace(',', ', ')}`)
  expect(text).toContain(`USER ${User}\nWORKDIR ${WorkingDir}`)
  expect(text).toContain(
    `EXPOSE ${Object.keys(ExposedPorts)
      .map((port) => port.replace('/tcp', ''))
      .join(' ')}`,
  )
  expect(text).toContain(`STOPSIGNAL ${StopSignal}`)
  expect(text).toContain(`CMD ${JSON.stringify(Healthcheck?.Test.slice(1)).replaceAll(',', ', ')}`)
})

const isRoot = process.getuid?.() === 0 && process.platform === 'linux'

describe.skipIf(!isRoot)('in a root of its own (needs root to enter it)', () => {
  let inside: string
  beforeAll(() => {
    inside = join(folder.path, 'inside')
    execFileSync('mkdir', [inside])
    for (const { bytes } of image.layers)
      execFileSync('tar', ['-xz', '--numeric-owner', '-C', inside], { input: bytes })
  })
  const chroot = (args: string[]): string[] => ['--userspec=10001:10001', inside, '/usr/local/bin/node', ...args]

  test('starts as nobody, answers its probe, and ends on SIGTERM', async () => {
    const port = await freePort()
    const env = { COUNTER_STORE: 'file:/data/counter.json', COUNTER_METRICS_LISTEN: `127.0.0.1:${port}` }
    await using service = startProcess({
      command: 'chroot',
      args: chroot(['/app/main.js', '--listen', '127.0.0.1:0']),
      env,
    })
    const probe = (): Promise<unknown> =>
      promisify(execFile)('chroot', chroot(['/app/probe.mjs', 'readyz']), { env: { ...process.env, ...env } })
    const { url }: { url: string } = JSON.parse(await service.waitForLine(/"msg":"listening"/))
    await probe()
    expect(await (await fetch(url, { method: 'POST' })).text()).toContain('1')
    expect(readFileSync(join(inside, 'data/counter.json'), 'utf8')).toContain('1')
    service.kill('SIGTERM')
    expect(await service.exit).toEqual({ code: 0, signal: null })
    await expect(probe()).rejects.toMatchObject({ code: 1 })
  })

  test('a secret that is missing is named, and the exit code is 2', async () => {
    const path = '/etc/ballast/secrets/store'
    const run = promisify(execFile)('chroot', chroot(['/app/main.js']), {
      env: { COUNTER_AUTH: 'none', COUNTER_STORE_FILE: path, PATH: process.env['PATH'] },
    })
    await expect(run).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining(`COUNTER_STORE_FILE ${path}`) })
  })

  test('without a decision on who may call, it does not listen to other machines, and says so', async () => {
    const run = promisify(execFile)('chroot', chroot(['/app/main.js']), {
      env: { COUNTER_LISTEN: '0.0.0.0:0', COUNTER_STORE: 'memory:', PATH: process.env['PATH'] },
    })
    await expect(run).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('--auth') })
  })
})

test('every app that there is has an image', () => {
  expect(apps.map(({ name }) => name).toSorted()).toEqual(
    execFileSync('ls', [join(root, 'apps')], { encoding: 'utf8' })
      .trim()
      .split('\n'),
  )
})
