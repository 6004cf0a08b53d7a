import { execFile, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify, stripVTControlCharacters } from 'node:util'
import { installWithApt } from '@ballast/backends/debian'
import { findProgram } from '@ballast/backends/programs'
import { temporaryFolder, waitUntil } from '@ballast/testing'
import { describe, expect, test } from 'vitest'

// Each app is a program: found by its package's bin, run through a link from anywhere, with help, completion and doctor.
const root = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)

interface Program {
  readonly app: string
  readonly main: string
}

const programs: readonly Program[] = ['counter', 'message-store', 'scaler', 'load-tolerant-api'].map((app) => {
  const { bin }: { bin: Record<string, string> } = JSON.parse(
    readFileSync(join(root, 'apps', app, 'package.json'), 'utf8'),
  )
  return { app, main: join(root, 'apps', app, bin[app] ?? 'no bin of this name') }
})

interface Ended {
  readonly code: number
  readonly stdout: string
}

/** Rejections of execFile carry the exit code. */
async function ended(command: string, args: readonly string[], cwd: string, env = {}): Promise<Ended> {
  return run(command, args, { cwd, env: { ...process.env, ...env } }).then(
    ({ stdout }) => ({ code: 0, stdout }),
    ({ code, stdout }: Ended) => ({ code, stdout }),
  )
}

describe.each(programs)('$app', ({ app, main }) => {
  test('runs through a link from another folder, and its help has examples', async () => {
    await using folder = await temporaryFolder()
    const link = join(folder.path, app)
    await symlink(main, link)
    const { code, stdout } = await ended(link, ['--help'], folder.path)
    expect(code).toBe(0)
    expect(stdout).toMatch(new RegExp(`^Usage: ${app} `, 'm'))
    expect(stdout).toMatch(new RegExp(`^Examples:\\n(?: .*\\b${app}\\b.*\\n)+`, 'm'))
    expect(stdout).toMatch(/^ {2}doctor /m)
  })

  test('doctor ends with 0 where it could start, and with 1 and a sentence where it could not', async () => {
    await using folder = await temporaryFolder()
    const prefix = app.replaceAll('-', '_').toUpperCase()
    // The scaler needs a server; what it says of one that is away is tried below.
    const env = { ...(app === 'scaler' && { SCALER_STORE: 'memory:' }), [`${prefix}_LISTEN`]: '127.0.0.1:0' }
    const fine = await ended(main, ['doctor'], folder.path, env)
    expect(fine.stdout).toMatch(new RegExp(`\\n${app} can start here\\.\\n$`))
    expect(fine.code).toBe(0)

    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const address = taken.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const away = app === 'scaler' ? { SCALER_STORE: `postgres://127.0.0.1:1/none` } : {}
    const ill = await ended(main, ['doctor', '--listen', `127.0.0.1:${port}`], folder.path, { ...env, ...away })
    taken.close()
    expect(ill.stdout).toContain(`127.0.0.1:${port} is taken by another process`)
    expect(ill.stdout).toMatch(
      app === 'scaler' ? /not ok {2}--store .*PostgreSQL/ : /ok {6}--(?:store|stream) .*can be made/,
    )
    expect(ill.code).toBe(1)
  })
})

/** Of the function that is typed, not of its definition. */
const called = /^called: ([^\r\n]+)\r?\n/m

/** What the shell writes while `counter rec⇥--aud⇥here↵` is typed; `counter` is a function that tells how it was called. */
async function typed(shell: string, args: readonly string[], script: string): Promise<string> {
  const command = [shell, ...args].join(' ')
  const child = spawn('script', ['-qec', command, '/dev/null'], { env: { ...process.env, TERM: 'dumb', PS1: '$ ' } })
  let said = ''
  child.stdout.on('data', (piece: Buffer) => (said += stripVTControlCharacters(piece.toString())))
  try {
    const type = async (keys: string, answer: RegExp): Promise<void> => {
      child.stdin.write(keys)
      await waitUntil(() => answer.test(said), { what: `${shell} to answer ${JSON.stringify(keys)}` })
    }
    await type(`counter() { echo "called: $*"; }; source ${script}; echo read''y\n`, /ready\r?\n/)
    await type('counter rec\t', /recount /)
    await type('--aud\t', /--audit-log /)
    await type('here\n', called)
    return called.exec(said)?.[1] ?? ''
  } finally {
    child.kill()
  }
}

const script = findProgram('script')
const shells = [
  { shell: 'bash', args: ['--norc', '--noprofile', '-i'], found: findProgram('bash') },
  {
    shell: 'zsh',
    args: ['-f', '-i'],
    found: findProgram('zsh') ?? (await installWithApt('zsh', 'zsh').catch(() => {})),
  },
]

describe.each(shells)('completion in $shell', ({ shell, args, found }) => {
  const can = script !== undefined && found !== undefined
  test.skipIf(!can && process.env['BACKENDS'] !== 'all')(
    'commands and flags are completed as they are typed',
    async () => {
      if (found === undefined) throw new Error(`there is no ${shell}; on Debian: apt-get install ${shell}`)
      await using folder = await temporaryFolder()
      const file = join(folder.path, 'completion')
      const { stdout } = await run(programs[0]?.main ?? '', ['completion'])
      await writeFile(file, stdout)
      expect(await typed(found, args, file)).toBe('recount --audit-log here')
    },
  )
})
