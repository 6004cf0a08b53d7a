import type { FastifyRequest } from 'fastify'
import type { Role } from '../roles.ts'

/** Who calls. */
export interface Principal {
  readonly name: string
  readonly role: Role
}

/** How callers prove who they are. */
export interface Authenticator {
  readonly scheme: 'none' | 'tokens' | 'mtls'
  /** `undefined`: no credentials, or wrong ones. Must not throw. */
  identify(request: FastifyRequest): Principal | undefined
}

/** Everyone may do everything: the default on loopback. */
export const openToAll: Authenticator = {
  scheme: 'none',
  identify: () => anonymous,
}

export const anonymous: Principal = { name: 'anonymous', role: 'admin' }
