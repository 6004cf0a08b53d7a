import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { isAlive, startProcess, temporaryFolder, waitUntil } from '@ballast/testing'

const source = new URL('bootstrap.mjs', import.meta.url)

/** The smallest workspace that has to be set up: no packages, so only the toolchain is fetched. */
function workspaceIn(folder: string): string {
  const root = join(folder, 'a path with spaces')
  for (const name of ['apps', 'libs', 'tools', 'deploy']) mkdirSync(join(root, name), { recursive: true })
  cpSync(source, join(root, 'tools/bootstrap.mjs'))
  writeFileSync(join(root, 'package.json'), '{"name":"sample","private":true,"version":"1.0.0"}\n')
  writeFileSync(join(root, 'pnpm-workspace.yaml'), "packages:\n  - 'apps/*'\n")
  writeFileSync(
    join(root, 'pnpm-lock.yaml'),
    "lockfileVersion: '9.0'\nsettings:\n  autoInstallPeers: true\n  excludeLinksFromLockfile: false\nimporters:\n  .: {}\n",
  )
  return root
}

const bootstrap = (root: string, args: string[], env: Record<string, string> = {}) =>
  startProcess({ args: [join(root, 'tools/bootstrap.mjs'), ...args], env })

describe('set-up', { timeout: 120_000 }, () => {
  test('two starts at once in a path with spaces install once, and both commands run with the pinned Node', async () => {
    await using folder = await temporaryFolder()
    const root = workspaceIn(folder.path)
    await using first = bootstrap(root, ['node', '-p', 'process.version'])
    await using second = bootstrap(root, ['node', '-p', 'process.version'])
    expect(await first.exit).toEqual({ code: 0, signal: null })
    expect(await second.exit).toEqual({ code: 0, signal: null })
    expect([first.stdout, second.stdout]).toEqual([['v24.21.0'], ['v24.21.0']])
    const announced = [...first.stderr, ...second.stderr].filter((line) => line.startsWith('Getting Node'))
    expect(announced).toHaveLength(1)

    await using third = bootstrap(root, ['pnpm', '--version'])
    await third.exit
    expect(third.stdout).toEqual(['12.21.0'])
    expect(third.stderr, 'nothing changed: nothing is installed again').toEqual([])

    rmSync(join(root, 'node_modules'), { recursive: true, force: true })
    await using fourth = bootstrap(root, ['pnpm', '--version'])
    await fourth.exit
    expect(fourth.stderr.join(' '), 'what was removed is installed again').toContain('Installing dependencies')

    expect(readdirSync(folder.path), 'nothing is written beside the checkout').toEqual(['a path with spaces'])
    expect(readdirSync(root).toSorted()).toEqual(
      ['.toolchain', 'apps', 'deploy', 'libs', 'package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', 'tools']
        .concat(existsSync(join(root, 'node_modules')) ? ['node_modules'] : [])
        .toSorted(),
    )
  })

  test.skipIf(process.getuid?.() !== 0)('works for a user who is not root, with a cold cache of his own', async () => {
    await using folder = await temporaryFolder()
    const root = workspaceIn(folder.path)
    const nobody = 65534
    for (const path of [folder.path, ...readdirSync(folder.path, { recursive: true, encoding: 'utf8' })]) {
      chownSync(path === folder.path ? path : join(folder.path, path), nobody, nobody)
    }
    const child = spawn(process.execPath, [join(root, 'tools/bootstrap.mjs'), 'node', '-p', 'process.getuid()'], {
      uid: nobody,
      gid: nobody,
      env: { PATH: process.env['PATH'], HOME: folder.path, NODE_EXTRA_CA_CERTS: process.env['NODE_EXTRA_CA_CERTS'] },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
    const code = await new Promise((resolve) => child.once('close', resolve))
    expect(code, output).toBe(0)
    expect(output).toContain(String(nobody))
    expect(statSync(join(root, '.toolchain')).uid).toBe(nobody)
  })

  test('without a network and with nothing cached: one sentence, exit 1', async () => {
    await using folder = await temporaryFolder()
    const root = workspaceIn(folder.path)
    await using child = bootstrap(root, ['node', '-v'], {
      npm_config_registry: 'http://127.0.0.1:1',
      npm_config_cache: join(folder.path, 'cache'),
    })
    expect(await child.exit).toEqual({ code: 1, signal: null })
    expect(child.stdout).toEqual([])
    expect(child.stderr.at(-1)).toMatch(/^Could not install Node .* is the npm registry reachable\? .*install\.log\)$/)
    expect(child.stderr).toHaveLength(2)
  })
})

describe('the command', () => {
  const here = fileURLToPath(new URL('..', import.meta.url))

  test('its exit code and its output are passed through', async () => {
    await using child = bootstrap(here, ['node', '-e', 'process.stdout.write("only this"); process.exit(7)'])
    expect(await child.exit).toEqual({ code: 7, signal: null })
    expect(child.stdout).toEqual(['only this'])
  })

  test('a signal reaches it, and its end is waited for', async () => {
    const script =
      'process.on("SIGTERM", () => setTimeout(() => { process.stdout.write("drained"); process.exit(0) }, 50)); console.log("up"); setInterval(() => {}, 1000)'
    await using child = bootstrap(here, ['node', '-e', script])
    await child.waitForLine(/up/)
    child.kill('SIGTERM')
    expect(await child.exit).toEqual({ code: 0, signal: null })
    expect(child.stdout).toEqual(['up', 'drained'])
  })

  test('npm that is ended by SIGTERM takes it along', async () => {
    await using folder = await temporaryFolder()
    const script = `process.on("SIGTERM", () => process.exit(0)); require("fs").writeFileSync(${JSON.stringify(join(folder.path, 'pid'))}, String(process.pid)); setInterval(() => {}, 1000)`
    writeFileSync(join(folder.path, 'script.js'), script)
    const manifest = {
      scripts: {
        start: `exec node ${JSON.stringify(join(here, 'tools/bootstrap.mjs'))} node ${JSON.stringify(join(folder.path, 'script.js'))}`,
      },
    }
    writeFileSync(join(folder.path, 'package.json'), JSON.stringify(manifest))
    await using npm = startProcess({ command: 'npm', args: ['start', '--silent'], cwd: folder.path })
    const pid = await waitUntil(() => Number(readFileSync(join(folder.path, 'pid'), 'utf8')), {
      what: 'the command to run',
    })
    npm.kill('SIGTERM')
    await npm.exit
    await waitUntil(() => !isAlive(pid), { what: 'the command to end' })
    expect(isAlive(pid)).toBe(false)
  })
})
