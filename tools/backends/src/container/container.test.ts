import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isAlive, startProcess, temporaryFolder, waitUntil } from '@ballast/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { backendKinds, startBackend } from '../index.ts'
import { definitions } from '../definitions.ts'
import { findServer } from '../find-server.ts'
import { redisCommand } from '../resp.ts'
import { composeFile, imageOf } from './compose-file.ts'

const engineProgram = fileURLToPath(new URL('fixtures/engine.mjs', import.meta.url))

interface FakeEngine {
  calls(): string[]
  /** Switches a trouble on: `down`, `offline`, `no-compose`. */
  have(trouble: string): void
  containers(): string[]
  readonly folder: string
}

/** Puts an engine first on PATH, for this process and those it starts. */
async function fakeEngine(name: 'docker' | 'podman'): Promise<FakeEngine> {
  const folder = await temporaryFolder()
  const bin = await temporaryFolder()
  const program = join(bin.path, name)
  writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${engineProgram}" "${folder.path}" "$@"\n`)
  chmodSync(program, 0o755)
  const before = { PATH: process.env['PATH'], BACKENDS_ENGINE: process.env['BACKENDS_ENGINE'] }
  process.env['PATH'] = `${bin.path}:${before.PATH}`
  process.env['BACKENDS_ENGINE'] = name
  onTestFinished(async () => {
    process.env['PATH'] = before.PATH
    if (before.BACKENDS_ENGINE === undefined) delete process.env['BACKENDS_ENGINE']
    else process.env['BACKENDS_ENGINE'] = before.BACKENDS_ENGINE
    await folder[Symbol.asyncDispose]()
    await bin[Symbol.asyncDispose]()
  })
  return {
    folder: folder.path,
    calls: () => readFileSync(join(folder.path, 'calls'), 'utf8').trim().split('\n'),
    have: (trouble) => writeFileSync(join(folder.path, trouble), ''),
    containers: () => readdirSync(folder.path).filter((entry) => entry.endsWith('.pid')),
  }
}

const ping = (url: string): Promise<string> => redisCommand(Number(new URL(url).port), ['PING'])

describe.each(['docker', 'podman'] as const)('with %s', (name) => {
  test('a server is started, paused, killed, restarted and removed as a service of the compose file', async () => {
    const engine = await fakeEngine(name)
    await using server = await startBackend('redis')
    expect(server).toMatchObject({ origin: 'container', version: '7.4.6' })
    expect(server.pid).toBeUndefined()
    await expect(ping(server.url)).resolves.toBe('+PONG')
    await expect(waitUntil(() => server.logs())).resolves.toBe('Ready to accept connections\n')

    await server.pause()
    await expect(ping(server.url)).rejects.toThrow('no answer')
    await server.resume()
    await expect(ping(server.url)).resolves.toBe('+PONG')
    await server.kill()
    await expect(ping(server.url)).rejects.toThrow(/ECONN/)
    await server.restart()
    await expect(ping(server.url)).resolves.toBe('+PONG')
    await server.stop()
    await expect(ping(server.url)).rejects.toThrow(/ECONN/)
    expect(engine.containers()).toEqual([])

    const project = /--project-name (ballast-\S+-redis) up/.exec(engine.calls().join('\n'))?.[1] ?? ''
    const compose = `compose --file ${composeFile} --project-name ${project}`
    expect(engine.calls().filter((call) => !call.endsWith('logs --follow --no-color redis'))).toEqual([
      'ps --quiet',
      'compose version',
      `image inspect ${imageOf('redis').name}`,
      `pull --quiet ${imageOf('redis').name}`,
      `ps --all --filter name=^${project.replace(/\d+-redis$/, '')} --format {{.Names}}`,
      `${compose} up --detach redis`,
      `${compose} pause redis`,
      `${compose} unpause redis`,
      `${compose} kill redis`,
      `${compose} stop --timeout 15 redis`,
      `${compose} start redis`,
      `${compose} down --volumes --timeout 15`,
    ])
  })
})

test('a container whose guard was killed is removed by the next start', async () => {
  const engine = await fakeEngine('docker')
  await using server = await startBackend('redis')
  const [first = ''] = engine.containers()
  const guard = Number(/-(\d+)-redis/.exec(first)?.[1])
  const container = Number(readFileSync(join(engine.folder, first), 'utf8'))
  process.kill(guard, 'SIGKILL')
  await waitUntil(() => !isAlive(guard))
  expect(isAlive(container)).toBe(true)
  await using next = await startBackend('redis')
  await waitUntil(() => !isAlive(container))
  expect(engine.containers()).toEqual([expect.not.stringContaining(String(guard))])
  await expect(ping(next.url)).resolves.toBe('+PONG')
  await expect(server.restart()).rejects.toThrow('guard of redis is gone')
})

test("another machine's containers on the same engine are left alone", async () => {
  const engine = await fakeEngine('docker')
  const others = ['ballast-elsewhere-999999-redis.pid', `other-${hostname()}-999999-redis.pid`]
  for (const name of others) writeFileSync(join(engine.folder, name), '0')
  await using server = await startBackend('redis')
  await server.stop()
  expect(engine.containers().toSorted()).toEqual(others)
})

describe('an engine is passed over, with the reason,', () => {
  test.each([
    ['down', {}, 'docker is installed, but its engine does not answer'],
    ['no-compose', {}, 'docker has no "compose" command'],
    ['offline', {}, /docker cannot pull docker\.io\/library\/redis:7\.4\.6: .*no such host/],
    ['none', { tls: true }, 'in a container it cannot be given "tls"'],
    ['none', { asProcess: true }, 'in a container it cannot be given "asProcess"'],
  ] as const)('when there is trouble (%s) or an option it cannot take: %o', async (trouble, options, reason) => {
    const engine = await fakeEngine('docker')
    engine.have(trouble)
    const found = await findServer('redis', options, true)
    expect(found).toMatchObject({ origin: 'path', passedOver: expect.stringMatching(reason) })
  })

  test('by the doctor too', async () => {
    const engine = await fakeEngine('docker')
    engine.have('down')
    await using doctor = startProcess({ args: [fileURLToPath(new URL('../main.ts', import.meta.url)), 'doctor'] })
    await doctor.exit
    expect(doctor.stdout.find((line) => line.startsWith('postgres'))).toContain('its engine does not answer')
  })

  test('when BACKENDS_ENGINE=none says so, in silence', async () => {
    const engine = await fakeEngine('docker')
    process.env['BACKENDS_ENGINE'] = 'none'
    await expect(findServer('postgres', {}, false)).resolves.not.toHaveProperty('passedOver')
    expect(existsSync(join(engine.folder, 'calls'))).toBe(false)
  })
})

describe('the compose file', () => {
  const text = readFileSync(composeFile, 'utf8')

  test.each(backendKinds)('pins the image of %s and publishes it on loopback only', (kind) => {
    expect(imageOf(kind).tag).toMatch(/\d+\.\d+\.\d+|\d+\.\d+|RELEASE\./)
    expect(text).toMatch(new RegExp(`'127\\.0\\.0\\.1:\\$\\{BALLAST_${kind.toUpperCase()}_PORT:-\\d+\\}:\\d+'`))
    expect(text.match(/^ {4}ports: /gm)).toHaveLength(backendKinds.length)
    expect(text.match(/^ {4}healthcheck:/gm)).toHaveLength(backendKinds.length)
  })

  test.each(backendKinds)('knows the variables that %s sets', (kind) => {
    const { environment } = definitions[kind].container.launch({ password: 'a-password' }, 1)
    for (const name of Object.keys(environment)) expect(text).toContain(`\${${name}:-`)
  })
})
