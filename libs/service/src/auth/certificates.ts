import { TLSSocket } from 'node:tls'
import type { FastifyRequest } from 'fastify'
import { reaches, type Role } from '../roles.ts'
import type { Authenticator, Principal } from './principal.ts'
import { parseRoleLines } from './role-lines.ts'

interface SubjectRule {
  readonly attribute: 'CN' | 'OU'
  readonly value: string
  readonly role: Role
}

const example = 'role:CN=name or role:OU=unit'

/** Roles by the subject of a client certificate that the configured CA has signed; of several rules that fit, the highest role. */
export class CertificateAuthenticator implements Authenticator {
  readonly scheme = 'mtls'
  #rules: readonly SubjectRule[]
  // A certificate belongs to a connection: it is looked at once, not with each request.
  #principals = new WeakMap<TLSSocket, Principal>()

  /** Throws ConfigError for a file that cannot be used. */
  constructor(text: string, path: string) {
    this.#rules = parse(text, path)
  }

  replace(text: string, path: string): void {
    this.#rules = parse(text, path)
    this.#principals = new WeakMap()
  }

  identify({ socket }: FastifyRequest): Principal | undefined {
    if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined
    const known = this.#principals.get(socket)
    if (known !== undefined) return known
    const { subject } = socket.getPeerCertificate()
    const rules = this.#rules.filter(({ attribute, value }) => [subject[attribute] ?? []].flat().includes(value))
    const [first] = rules
    if (first === undefined) return undefined
    const role = rules.reduce<Role>((highest, rule) => (reaches(rule.role, highest) ? rule.role : highest), first.role)
    const principal = { name: [subject.CN].flat().join(','), role }
    this.#principals.set(socket, principal)
    return principal
  }
}

function parse(text: string, path: string): readonly SubjectRule[] {
  return parseRoleLines(text, path, /^(CN|OU)=.+$/, example).map(({ role, rest }) => ({
    role,
    attribute: rest.startsWith('CN=') ? 'CN' : 'OU',
    value: rest.slice(3),
  }))
}
