import type { FastifyRequest, onRequestHookHandler } from 'fastify'
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
    else if (!reaches(principal.role, role)) done(forbidden(principal, role, request))
    else {
      principals.set(request, principal)
      done()
    }
  }
}

function unauthenticated({ scheme }: Authenticator): Error {
  const [detail, challenge] =
    scheme === 'mtls'
      ? ['Show a client certificate whose subject has a role here.', 'Mutual']
      : ['Send a valid token: "Authorization: Bearer <token>".', 'Bearer realm="ballast"']
  return serviceProblems.create('unauthenticated', detail, { headers: { 'www-authenticate': challenge } })
}

function forbidden({ name, role }: Principal, needed: Role, { method, routeOptions }: FastifyRequest): Error {
  const detail = `${method} ${routeOptions.url ?? ''} needs the role ${needed}; ${name} has ${role}.`
  return serviceProblems.create('forbidden', detail, {
    headers: { 'www-authenticate': 'Bearer realm="ballast", error="insufficient_scope"' },
    extensions: { neededRole: needed },
  })
}
