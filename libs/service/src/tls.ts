import type { SecureContextOptions } from 'node:tls'

export interface TlsMaterial extends SecureContextOptions {
  readonly cert: Buffer
  readonly key: Buffer
  /** CA of client certificates. With it a client that shows none is refused in the handshake. */
  readonly ca?: Buffer
}
