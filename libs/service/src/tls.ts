import { createSecureContext, Server as TlsServer, type SecureContextOptions } from 'node:tls'
import { ConfigError } from './config/config-error.ts'
import type { ServiceSettings } from './config/service-options.ts'
import { readBytes } from './process/reloads.ts'
import { sentence } from './process/sentence.ts'

export interface TlsMaterial extends SecureContextOptions {
  readonly cert: Buffer
  readonly key: Buffer
  /** CA of client certificates. */
  readonly ca?: Buffer
  /** What happens to a client without a certificate of that CA: refused in the handshake, or left to the roles of the routes. */
  readonly withoutCertificate: 'refuse' | 'admit'
}

type Settings = Pick<ServiceSettings, 'tlsCert' | 'tlsKey' | 'tlsClientCa' | 'auth'>

/** Reads and checks the files that the settings name; `undefined` when TLS is off. Throws ConfigError. */
export function loadTls({ tlsCert, tlsKey, tlsClientCa, auth }: Settings): TlsMaterial | undefined {
  if (tlsCert === undefined && tlsKey === undefined) {
    if (tlsClientCa !== undefined) throw new ConfigError('--tls-client-ca needs --tls-cert and --tls-key')
    return undefined
  }
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new ConfigError('--tls-cert and --tls-key belong together; one of them is missing')
  }
  const pair = { cert: readBytes(tlsCert, '--tls-cert'), key: readBytes(tlsKey, '--tls-key') }
  const ca = tlsClientCa === undefined ? {} : { ca: readBytes(tlsClientCa, '--tls-client-ca') }
  try {
    createSecureContext({ ...pair, ...ca })
  } catch (error) {
    throw new ConfigError(`--tls-cert ${tlsCert} and --tls-key ${tlsKey} cannot be used: ${sentence(error)}`)
  }
  // With roles by certificate a probe without one must still reach the public routes (a kubelet has none).
  return { ...pair, ...ca, withoutCertificate: auth === 'mtls' ? 'admit' : 'refuse' }
}

/** New connections get the new certificate; established ones go on with the old. */
export function swapTls(server: object, material: TlsMaterial): void {
  if (server instanceof TlsServer) server.setSecureContext(material)
}
