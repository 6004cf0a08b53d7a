import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { installWithApt } from '@ballast/backends/debian'
import { findProgram } from '@ballast/backends/programs'
import { describe, expect, test } from 'vitest'

const executed = promisify(execFile)

/** Runs a program to its end; rejects with all it said when it fails. */
export async function run(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: Readonly<Record<string, string>> } = {},
): Promise<{ stdout: string; stderr: string }> {
  const { cwd, env } = options
  try {
    return await executed(command, args, { cwd, env: { ...process.env, ...env }, timeout: 120_000, maxBuffer: 2 ** 26 })
  } catch (error) {
    const said = error instanceof Error && 'stdout' in error && 'stderr' in error ? [error.stdout, error.stderr] : []
    throw new Error(`${command} ${args.join(' ')}\n${said.map(String).join('\n')}`, { cause: error })
  }
}

/**
 * `describe` for tests with a real client from Debian: one on the PATH, or installed where BACKENDS_INSTALL=1 asks for
 * that. Otherwise a skip that says so, and a failure under BACKENDS=all. Await it at the top level of a test file.
 */
export async function describeWithClient(
  { packageName, program }: { readonly packageName: string; readonly program: string },
  suite: () => void,
): Promise<void> {
  const found = findProgram(program) ?? (await installWithApt(packageName, program).catch(() => undefined))
  if (found === undefined) declareMissing(packageName, program)
  else declare(program, suite)
}

function declare(program: string, suite: () => void): void {
  // On a machine that is busy with other tests these clients take minutes.
  describe(`with ${program}`, { timeout: 300_000 }, () => {
    suite()
  })
}

function declareMissing(packageName: string, program: string): void {
  const missing = `${program} is not on the PATH: install ${packageName}, or set BACKENDS_INSTALL=1 as root on Debian`
  test.skipIf(process.env['BACKENDS'] !== 'all')(`needs ${missing}`, () => {
    expect.fail(missing)
  })
}
