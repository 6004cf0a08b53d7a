import { fileURLToPath } from 'node:url'
import { startProcess, type TestProcess } from '@ballast/testing'

export interface MessageStoreProcess extends TestProcess {
  readonly url: string
}

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

export const messageStoreProcess = (...args: string[]): TestProcess => startProcess({ args: [main, ...args] })

/** The real process on a free port; resolves when it listens. */
export const startMessageStore = (folder: string, ...args: string[]): Promise<MessageStoreProcess> =>
  startMessageStoreOn(`lmdb:${folder}`, ...args)

export async function startMessageStoreOn(store: string, ...args: string[]): Promise<MessageStoreProcess> {
  const started = messageStoreProcess('--store', store, '--listen', '127.0.0.1:0', ...args)
  const line: unknown = JSON.parse(await started.waitForLine(/"msg":"listening"/))
  if (typeof line !== 'object' || line === null || !('url' in line) || typeof line.url !== 'string') {
    throw new Error(`no url in ${JSON.stringify(line)}`)
  }
  return Object.assign(started, { url: line.url })
}

export interface Certificate {
  readonly certFile: string
  readonly args: readonly string[]
}

/** Made by the program itself. */
export async function makeCertificate(folder: string): Promise<Certificate> {
  await using made = messageStoreProcess('certificate', '--folder', folder)
  const { code } = await made.exit
  const [certFile, keyFile] = made.stdout
  if (code !== 0 || certFile === undefined || keyFile === undefined) throw new Error(made.stderr.join('\n'))
  return { certFile, args: ['--tls-cert', certFile, '--tls-key', keyFile] }
}
