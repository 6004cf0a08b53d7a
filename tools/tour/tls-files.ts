import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { appProgram } from '../platform/services/app.ts'
import type { TlsFiles } from '../platform/services/message-store.ts'
import { runTask } from './run-task.ts'

/** A throwaway certificate for 127.0.0.1, made by the message store's own command. `ca` is the PEM to trust. */
export async function makeTlsFiles(folder: string): Promise<TlsFiles & { readonly ca: string }> {
  const flags = ['--folder', folder, '--names', 'localhost,127.0.0.1', '--days', '1']
  const { code, stderr } = await runTask(appProgram('message-store', 'certificate', flags), process.env)
  if (code !== 0) throw new Error(`no certificate for the tour: ${stderr}`)
  const cert = join(folder, 'cert.pem')
  return { cert, key: join(folder, 'key.pem'), ca: await readFile(cert, 'utf8') }
}
