// Runs a command with this workspace's own toolchain: node tools/bootstrap.mjs <command> [argument...]
//
// Needs Node >= 20 and npm, nothing else: it is plain JavaScript without dependencies, because it runs before any
// dependency is there. It puts the pinned Node and pnpm into .toolchain/ (ignored by git), installs node_modules from
// the lockfile, and starts the command with both first on PATH. When nothing changed it only compares one fingerprint.
// It prints to stderr only, so that the command owns stdout.

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { constants as fsConstants } from 'node:fs'
import { access, mkdir, open, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { constants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const NODE = '24.21.0'
const PNPM = '12.21.0'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const toolchain = join(root, '.toolchain')
const tools = join(toolchain, `node-${NODE}-pnpm-${PNPM}`)
const bin = join(tools, 'node_modules', '.bin')
const logFile = join(toolchain, 'install.log')
// Inside of node_modules, so that whoever removes the one removes the other.
const fingerprintFile = join(root, 'node_modules', '.ballast-installed')

/** A failure whose message is all that a user needs: printed as one sentence, exit 1. */
class SetupError extends Error {}

/** Changes whenever the installed toolchain or node_modules would have to change. */
async function fingerprint() {
  const hash = createHash('sha256').update(`${NODE} ${PNPM} ${process.platform} ${process.arch}\n`)
  const manifests = [
    'package.json',
    'pnpm-lock.yaml',
    'pnpm-workspace.yaml',
    'tools/package.json',
    'deploy/package.json',
  ]
  for (const group of ['apps', 'libs', 'tools']) {
    for (const folder of (await readdir(join(root, group))).toSorted())
      manifests.push(`${group}/${folder}/package.json`)
  }
  for (const manifest of manifests) {
    hash.update(`${manifest}\n`).update(await readFile(join(root, manifest)).catch(() => 'absent'))
  }
  return hash.digest('hex')
}

async function isInstalled(wanted) {
  const [installed, complete] = await Promise.all(
    [fingerprintFile, join(tools, 'complete')].map((file) => readFile(file, 'utf8').catch(() => '')),
  )
  return installed === wanted && complete !== ''
}

/**
 * One installer at a time per checkout. A listening local socket is a lock that the kernel frees with its process,
 * however that ends; a waiter holds a connection to it and is woken when it closes.
 */
async function lock() {
  const id = createHash('sha256').update(root).digest('hex').slice(0, 16)
  // Elsewhere than on Linux the address is a file; relative, because such paths end at about 100 bytes.
  const address = process.platform === 'linux' ? `\0ballast-bootstrap-${id}` : 'bootstrap.sock'
  if (process.platform !== 'linux') process.chdir(toolchain)
  for (;;) {
    const server = createServer()
    const waiters = new Set()
    server.on('connection', (socket) => waiters.add(socket.on('error', () => {})))
    const listening = await new Promise((resolve) => {
      server.once('error', () => resolve(false))
      server.listen(address, () => resolve(true))
    })
    if (listening) {
      return () => {
        server.close()
        for (const socket of waiters) socket.destroy()
      }
    }
    const refused = await new Promise((resolve) => {
      const socket = connect(address)
      socket.once('close', () => resolve(false))
      socket.once('error', () => resolve(true))
      socket.resume()
    })
    // Refused: a socket file whose owner was killed. It is ours to remove; on Linux there is no file.
    if (refused && process.platform !== 'linux') await rm(address, { force: true })
  }
}

/** Runs an installer with its output in .toolchain/install.log; true when it succeeded. */
async function install(command, args, env) {
  const log = await open(logFile, 'a')
  try {
    const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', log.fd, log.fd] })
    return (await exitCode(child)) === 0
  } finally {
    await log.close()
  }
}

/** npm's settings stay (registry, proxy, certificates); what describes the script that npm is just running goes. */
function installerEnvironment() {
  const env = { ...process.env }
  for (const name of Object.keys(env)) {
    if (/^npm_(lifecycle|package|command|node)|^npm_config_(local_prefix|global|workspace)/i.test(name))
      delete env[name]
  }
  return env
}

/** The pinned Node and pnpm from the npm registry, put in place by one rename so that half of them is never seen. */
async function installToolchain(env) {
  if (await readFile(join(tools, 'complete'), 'utf8').catch(() => '')) return
  const started = performance.now()
  process.stderr.write(`Getting Node ${NODE} and pnpm ${PNPM} into .toolchain/ (once) ...`)
  const staging = join(toolchain, `staging-${process.pid}`)
  for (const name of await readdir(toolchain)) {
    if (name.startsWith('staging-')) await rm(join(toolchain, name), { recursive: true, force: true })
  }
  await mkdir(staging)
  const npm = process.env.npm_execpath?.endsWith('npm-cli.js') ? [process.execPath, process.env.npm_execpath] : ['npm']
  // Without a network npm would otherwise retry for minutes.
  const retries = ['--fetch-retries=1', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=5000']
  const quiet = ['--no-save', '--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error']
  const packages = ['--prefix', staging, `node@${NODE}`, `pnpm@${PNPM}`]
  const [command, ...args] = [...npm, 'install', '--prefer-offline', ...quiet, ...retries, ...packages]
  const ok = await install(command, args, env)
  process.stderr.write(ok ? ` ${seconds(started)}\n` : ' failed\n')
  if (!ok) throw new SetupError(unreachable(`Node ${NODE} and pnpm ${PNPM}`))
  const bins = join(staging, 'node_modules', '.bin')
  for (const [name, version] of [
    ['node', `v${NODE}`],
    ['pnpm', PNPM],
  ]) {
    const found = await versionOf(join(bins, name), env)
    if (found !== version)
      throw new SetupError(`${name} ${version} was installed but answers "${found}": see ${logFile}`)
  }
  await writeFile(join(staging, 'complete'), `node ${NODE}, pnpm ${PNPM}\n`)
  await rm(tools, { recursive: true, force: true })
  await rename(staging, tools)
}

async function versionOf(program, env) {
  const child = spawn(program, ['--version'], { cwd: toolchain, env, stdio: ['ignore', 'pipe', 'ignore'] })
  let output = ''
  child.stdout.on('data', (chunk) => (output += chunk))
  await exitCode(child)
  return output.trim()
}

/** The exit code once all output has arrived; 127, as a shell says, for what could not be started. */
function exitCode(child) {
  return new Promise((resolve) => {
    child.once('error', () => resolve(127))
    child.once('close', resolve)
  })
}

async function installDependencies(env) {
  const started = performance.now()
  process.stderr.write('Installing dependencies from the lockfile ...')
  // Absolute, because spawn would look the name up on our PATH and not on the child's.
  const args = ['install', '--frozen-lockfile', '--prefer-offline', '--config.confirm-modules-purge=false']
  const ok = await install(join(bin, 'pnpm'), args, env)
  process.stderr.write(ok ? ` ${seconds(started)}\n` : ' failed\n')
  if (!ok) throw new SetupError(unreachable('the packages of pnpm-lock.yaml'))
}

const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`

const unreachable = (what) =>
  `Could not install ${what}: is the npm registry reachable? Nothing was started; run the command again when it is (details: ${logFile})`

async function setUp(env) {
  const wanted = await fingerprint()
  if (await isInstalled(wanted)) return
  await mkdir(toolchain, { recursive: true })
    .then(() => access(toolchain, fsConstants.W_OK))
    .catch((error) => {
      throw new SetupError(`${toolchain} is not writable (${error.code}): clone the repository to where you may write`)
    })
  const unlock = await lock()
  try {
    if (await isInstalled(wanted)) return
    await writeFile(logFile, '')
    await installToolchain(env)
    await installDependencies(env)
    await mkdir(dirname(fingerprintFile), { recursive: true })
    await writeFile(fingerprintFile, wanted)
  } finally {
    unlock()
  }
}

/** Becomes the command as far as a parent without execve can: same streams, its signals, its exit code. */
function run(command, args, env) {
  const child = spawn(command, args, { cwd: root, env, stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      // Ctrl-C in a terminal already reaches the whole foreground group; forwarding would count it twice.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
    })
  }
  // npm that is told to stop by SIGTERM ends at once and tells nobody.
  const npm = process.env.npm_lifecycle_event === undefined ? undefined : process.ppid
  const watch = setInterval(() => {
    if (npm === undefined || process.ppid === npm) return
    clearInterval(watch)
    child.kill('SIGTERM')
  }, 500)
  child.once('error', (error) => {
    process.stderr.write(`Could not start ${command}: ${error.message}\n`)
    process.exit(127)
  })
  child.once('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]))
}

async function main() {
  const [command, ...args] = process.argv.slice(2)
  if (command === undefined) throw new SetupError('usage: node tools/bootstrap.mjs <command> [argument...]')
  if (Number(process.versions.node.split('.')[0]) < 20) {
    throw new SetupError(`Node ${process.versions.node} is too old: Ballast needs Node 20 or newer to set itself up`)
  }
  const path = [bin, join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter)
  await setUp({ ...installerEnvironment(), PATH: path })
  const env = { ...process.env, PATH: path, NX_DAEMON: 'false' }
  run(command === 'node' ? join(bin, 'node') : command, args, env)
}

try {
  await main()
} catch (error) {
  process.stderr.write(`${error instanceof SetupError ? error.message : error.stack}\n`)
  process.exit(1)
}
