import { fileURLToPath } from 'node:url'
import { startProcess, type TestProcess } from '@ballast/testing'

const main = fileURLToPath(new URL('fixture/main.ts', import.meta.url))

export interface Fixture extends TestProcess {
  /** Where it listens. Rejects when it ends before. */
  url(): Promise<string>
}

export function startFixture(args: readonly string[], env: Readonly<Record<string, string>> = {}): Fixture {
  const child = startProcess({ args: ['--disable-warning=ExperimentalWarning', main, ...args], env })
  const url = async (): Promise<string> => {
    const line = await child.waitForLine(/"msg":"listening"/)
    const { url }: { url: string } = JSON.parse(line)
    return url
  }
  return Object.assign(child, { url })
}
