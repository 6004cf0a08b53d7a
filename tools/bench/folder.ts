import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A fresh folder, removed with the stack, or at the end of the process. */
export async function benchFolder(stack: AsyncDisposableStack): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'ballast-bench-'))
  const remove = (): void => rmSync(path, { recursive: true, force: true, maxRetries: 3 })
  process.once('exit', remove)
  stack.defer(async () => {
    await rm(path, { recursive: true, force: true, maxRetries: 3 })
    process.off('exit', remove)
  })
  return path
}
