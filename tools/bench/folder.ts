import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A fresh folder, removed with the stack. */
export async function benchFolder(stack: AsyncDisposableStack): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'ballast-bench-'))
  stack.defer(() => rm(path, { recursive: true, force: true, maxRetries: 3 }))
  return path
}
