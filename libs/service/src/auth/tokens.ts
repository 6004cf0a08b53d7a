import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import type { Authenticator, Principal } from './principal.ts'
import { parseRoleLines } from './role-lines.ts'

interface TokenEntry extends Principal {
  readonly sha256: Buffer
}

const example = 'role:name:<64 hex digits, the SHA-256 of the token>'

/** Bearer tokens (RFC 6750) against a file that holds only their hashes, so that reading the file lets nobody in. */
export class TokenAuthenticator implements Authenticator {
  readonly scheme = 'tokens'
  #entries: readonly TokenEntry[]

  /** Throws ConfigError for a file that cannot be used. */
  constructor(text: string, path: string) {
    this.#entries = parse(text, path)
  }

  /** From now on only these count; throws, and keeps the old ones, when the text cannot be used. */
  replace(text: string, path: string): void {
    this.#entries = parse(text, path)
  }

  identify(request: FastifyRequest): Principal | undefined {
    const match = /^bearer +(\S+)$/i.exec(request.headers.authorization ?? '')
    if (match?.[1] === undefined) return undefined
    const presented = createHash('sha256').update(match[1]).digest()
    let found: TokenEntry | undefined
    // All are compared, each in constant time: how long it takes says nothing about which one was close.
    for (const entry of this.#entries) if (timingSafeEqual(entry.sha256, presented)) found = entry
    return found
  }
}

function parse(text: string, path: string): readonly TokenEntry[] {
  return parseRoleLines(text, path, /^[^:\s]+:[0-9a-fA-F]{64}$/, example).map(({ role, rest }) => {
    const colon = rest.indexOf(':')
    return { role, name: rest.slice(0, colon), sha256: Buffer.from(rest.slice(colon + 1), 'hex') }
  })
}
