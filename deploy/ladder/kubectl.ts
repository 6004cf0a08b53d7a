import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'

/** What kubectl said when it failed. */
export class KubectlError extends Error {}

export class Kubectl {
  readonly #kubeconfig: string
  readonly #enter: readonly string[]

  constructor(kubeconfig: string, enter: readonly string[] = []) {
    this.#kubeconfig = kubeconfig
    this.#enter = enter
  }

  /** Standard output; rejects with what it wrote to standard error. */
  async run(args: readonly string[], input?: string): Promise<string> {
    const [program, ...rest] = [...this.#enter, 'kubectl', `--kubeconfig=${this.#kubeconfig}`, ...args]
    const child = spawn(program ?? '', rest)
    child.stdin.end(input)
    const [stdout, stderr, code] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve)),
    ])
    if (code !== 0) throw new KubectlError(stderr.trim() || `kubectl ${args.join(' ')} ended with ${code}`)
    return stdout
  }

  async json<T>(args: readonly string[]): Promise<T> {
    return JSON.parse(await this.run([...args, '--output=json']))
  }

  async apply(objects: string | readonly object[], ...args: string[]): Promise<string> {
    const input =
      typeof objects === 'string' ? objects : JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects })
    return this.run(['apply', '--filename=-', ...args], input)
  }
}
