import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { startEmbeddedPostgres } from '@ballast/backends/embedded-postgres'
import { freePort, startProcess, temporaryFolder } from '@ballast/testing'
import { beforeAll, describe, expect, test } from 'vitest'
import { isOurs, isWorkload, parseObjects } from './kustomize/objects.ts'
import { committed } from './kustomize/rendered.ts'
import { metricsAskedFor } from './monitoring/expressions.ts'
import { stage } from './stage.ts'

/** Command lines of every role of every app, on stores in `data`. */
const roles = (data: string, databaseUrl: string): Record<string, string[][]> => ({
  counter: [['--store', `file:${data}/counter.json`, '--buffered', 'pages/*']],
  'message-store': [['--store', `lmdb:${data}/messages`]],
  scaler: [
    ['control-plane', '--store', databaseUrl],
    ['worker', '--store', databaseUrl, '--name', 'worker-0'],
  ],
  'load-tolerant-api': [
    ['api', '--stream', `lmdb:${data}/stream`, '--documents', `lmdb:${data}/documents`],
    ['consumer', '--stream', `lmdb:${data}/stream`, '--documents', `lmdb:${data}/documents`],
  ],
})

/** Paths that a kubelet asks pods of ours for. */
async function probed(): Promise<readonly string[]> {
  const containers = parseObjects(await committed('prod'))
    .filter(isWorkload)
    .filter(isOurs)
    .flatMap(({ spec }) => spec.template.spec.containers)
  const probes = containers.flatMap(({ startupProbe, readinessProbe, livenessProbe }) => [
    startupProbe,
    readinessProbe,
    livenessProbe,
  ])
  const paths = new Set(probes.flatMap((probe) => probe?.httpGet?.path ?? []))
  expect(paths.size).toBe(3)
  return [...paths]
}

/** Names that the roles export, as they come by. */
const exported = new Set<string>()

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let databaseUrl: string

beforeAll(async () => {
  folder = await temporaryFolder()
  const postgres = await startEmbeddedPostgres({ dataDir: join(folder.path, 'postgres') })
  databaseUrl = postgres.url
  return async () => {
    await postgres.stop()
    await folder[Symbol.asyncDispose]()
  }
})

describe.each(Object.keys(roles('', '')))('the bundle of %s, alone in a folder', (app) => {
  test('starts every role, is ready, and ends with 0 on SIGTERM', { timeout: 60_000 }, async () => {
    const staged = join(folder.path, 'staged', app)
    await stage(app, staged)
    for (const role of roles(folder.path, databaseUrl)[app] ?? []) {
      // Nothing of this repository can be resolved from there: what is not staged is missing.
      const metrics = `127.0.0.1:${await freePort()}`
      await using service = startProcess({
        args: ['main.js', ...role, '--listen', '127.0.0.1:0', '--metrics-listen', metrics],
        cwd: staged,
        env: { NODE_PATH: undefined },
      })
      const { url }: { url: string } = JSON.parse(await service.waitForLine(/"msg":"listening"/))
      const ready = await fetch(new URL('/readyz', url))
      expect([role[0], ready.status]).toEqual([role[0], 200])
      for (const path of await probed()) {
        const probe = await fetch(`http://${metrics}${path}`)
        expect([role[0], path, probe.status]).toEqual([role[0], path, 200])
      }
      const exposition = await (await fetch(`http://${metrics}/metrics`)).text()
      for (const [, name = ''] of exposition.matchAll(/^# TYPE (\S+)/gm)) exported.add(name)
      service.kill('SIGTERM')
      expect(await service.exit).toEqual({ code: 0, signal: null })
    }
  })
})

test('the bundle of the message store has the thread that reads large blobs', { timeout: 60_000 }, async () => {
  const staged = join(folder.path, 'staged', 'message-store')
  await stage('message-store', staged)
  const args = ['main.js', '--store', `lmdb:${folder.path}/large`, '--listen', '127.0.0.1:0']
  await using service = startProcess({ args, cwd: staged, env: { NODE_PATH: undefined } })
  const { url }: { url: string } = JSON.parse(await service.waitForLine(/"msg":"listening"/))
  const message = 'large '.repeat(60_000)
  const body = JSON.stringify({ message })
  const { headers } = await fetch(`${url}/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  expect(await (await fetch(new URL(headers.get('location') ?? '', url))).json()).toEqual({ message })
})

test('every metric that a dashboard or an alert asks for is one that an app exports', async () => {
  expect([...(await metricsAskedFor())].filter((name) => !exported.has(name))).toEqual([])
})

test('a staged folder holds the bundle, the assets of its page and the native packages it imports, nothing else', async () => {
  const staged = join(folder.path, 'listed')
  await stage('counter', staged)
  expect(readdirSync(staged).filter((name) => !/^(chunk-)?[\w-]+\.js(\.map)?$/.test(name))).toEqual([
    'console',
    'node_modules',
    'package.json',
  ])
  expect(readdirSync(join(staged, 'node_modules'))).toContain('fs-native-extensions')
  expect(readdirSync(join(staged, 'node_modules'))).not.toContain('lmdb')
})
