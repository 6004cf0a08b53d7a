import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Service } from '@ballast/service'
import type { CertificateConfig } from '../config.ts'
import { selfSigned } from './self-signed.ts'

const dayMs = 86_400_000

/** Writes `key.pem` (mode 0600) and `cert.pem`; fails when one of them is there. */
export async function makeCertificate(
  { config }: Service<CertificateConfig>,
  print: (line: string) => void,
): Promise<void> {
  const names = config.names.split(',').map((name) => name.trim())
  const now = Date.now()
  const { certPem, keyPem } = selfSigned(names, now - dayMs, now + config.days * dayMs)
  await mkdir(config.folder, { recursive: true })
  const [key, cert] = [join(config.folder, 'key.pem'), join(config.folder, 'cert.pem')]
  await writeFile(key, keyPem, { mode: 0o600, flag: 'wx' })
  await writeFile(cert, certPem, { flag: 'wx' })
  print(cert)
  print(key)
}
