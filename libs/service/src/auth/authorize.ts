import type { FastifyRequest, onRequestHookHandler } from 'fastify'
import type { Problem } from '../problems.ts'
import { serviceProblems } from '../service-problems.ts'
import { reaches, type Role } from '../roles.ts'
import { anonymous, type Authenticator, type Principal } from './principal.ts'

const principals = new WeakMap<FastifyRequest, Principal>()

/** Who was let in by `authorize`; on routes that ask nobody, `anonymous`. */
export function principalOf(request: FastifyRequest): Principal {
  return principals.get(request) ?? anonymous
}

/** The hook of a route that needs `role`: 401 without usable credentials, 403 with ones that do not suffice. */
export function authorize(authenticator: Authenticator, role: Role): onRequestHookHandler {
  return (request, _reply, done) => {
    const principal = authenticator.identify(request)
    if (principal === undefined) done(unauthenticated(authenticator))
    else if (!reaches(principal.role, role)) done(forbidden(authenticator, principal, role, request))
    else {
      principals.set(request, principal)
      done()
    }
  }
}

/** `Certificate` is no registered scheme, but RFC 9110 wants a challenge with every 401. */
const challenges = { none: '', tokens: 'Bearer realm="ballast"', mtls: 'Certificate realm="ballast"' }

function unauthenticated({ scheme }: Authenticator): Problem {
  const detail =
    scheme === 'mtls'
      ? 'Show a client certificate whose subject has a role here.'
      : 'Send a valid token: "Authorization: Bearer <token>".'
  return serviceProblems.create('unauthenticated', detail, { headers: { 'www-authenticate': challenges[scheme] } })
}

function forbidden(
  { scheme }: Authenticator,
  { name, role }: Principal,
  neededRole: Role,
  request: FastifyRequest,
): Problem {
  const detail = `${request.method} ${request.routeOptions.url ?? ''} needs the role ${neededRole}; ${name} has ${role}.`
  const challenge = `${challenges[scheme]}, error="insufficient_scope"`
  return serviceProblems.create('forbidden', detail, {
    headers: { 'www-authenticate': challenge },
    extensions: { neededRole },
  })
}
