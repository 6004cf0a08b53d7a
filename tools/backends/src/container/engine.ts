import { findProgram, run } from '../run.ts'

/** A container engine that answers and knows compose files. */
export interface Engine {
  readonly name: 'docker' | 'podman'
  readonly program: string
}

/** Why containers cannot be used, for the doctor; `undefined` where nobody would expect them to be. */
export interface NoEngine {
  readonly reason: string | undefined
}

const names = ['docker', 'podman'] as const

/**
 * The first engine that works. One that is installed and does not work is passed over, with its reason. BACKENDS_ENGINE
 * chooses: `docker`, `podman` or `none`.
 */
export async function findEngine(): Promise<Engine | NoEngine> {
  const chosen = process.env['BACKENDS_ENGINE'] ?? ''
  if (chosen === 'none') return { reason: undefined }
  const wanted = names.filter((name) => chosen === '' || name === chosen)
  if (wanted.length === 0) throw new Error(`BACKENDS_ENGINE=${chosen} is neither docker nor podman nor none`)
  const reasons: string[] = []
  for (const name of wanted) {
    const program = findProgram(name)
    if (program === undefined) continue
    const reason = await troubleOf(program)
    if (reason === undefined) return { name, program }
    reasons.push(`${name} ${reason}`)
  }
  if (reasons.length === 0 && chosen !== '') reasons.push(`${chosen} is not on PATH`)
  return { reason: reasons.length === 0 ? undefined : reasons.join('; ') }
}

async function troubleOf(program: string): Promise<string | undefined> {
  const works = (...args: string[]): Promise<boolean> =>
    run(program, args, { timeoutMs: 15_000 }).then(
      () => true,
      () => false,
    )
  // `docker info` and `docker version` have something to say of the client alone.
  if (!(await works('ps', '--quiet'))) return 'is installed, but its engine does not answer'
  if (!(await works('compose', 'version'))) return 'has no "compose" command'
  return undefined
}
