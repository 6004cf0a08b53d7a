import { realpathSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { run } from './run.ts'

export interface JavaKeystore {
  /** A PKCS #12 file. */
  readonly path: string
  readonly password: string
  /** PEM of its certificate, which signs itself. */
  readonly ca: string
}

const password = 'changeit'

/** A throwaway key and certificate for loopback, in the form Java reads: P-256, one day. Cost: two JVM starts. */
export async function makeJavaKeystore(java: string, folder: string): Promise<JavaKeystore> {
  const keytool = join(dirname(realpathSync(java)), 'keytool')
  const path = join(folder, 'server.p12')
  const pem = join(folder, 'server.pem')
  const store = ['-keystore', path, '-storetype', 'PKCS12', '-storepass', password, '-alias', 'server']
  const names = ['-dname', 'CN=localhost', '-ext', 'san=ip:127.0.0.1,dns:localhost', '-ext', 'bc=ca:true']
  await run(keytool, ['-genkeypair', ...store, '-keyalg', 'EC', '-groupname', 'secp256r1', '-validity', '1', ...names])
  await run(keytool, ['-exportcert', '-rfc', ...store, '-file', pem])
  return { path, password, ca: await readFile(pem, 'utf8') }
}
