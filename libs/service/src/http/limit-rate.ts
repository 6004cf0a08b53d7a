import type { FastifyRequest, onRequestHookHandler } from 'fastify'
import { isIPv6 } from 'node:net'
import type { Metrics } from '@ballast/metrics'
import type { Authenticator } from '../auth/principal.ts'
import { defineProblems } from '../problems.ts'
import { RateLimiter, type RateLimit } from './rate-limiter.ts'

/** Documented by services that can limit. */
export const rateLimitProblems = defineProblems({
  'rate-limited': { status: 429, title: 'This client sends more requests than it may' },
})

export interface LimitOptions {
  readonly limit: RateLimit
  readonly authenticator: Authenticator
  readonly metrics: Metrics
}

/**
 * The hook of routes that need a role: 429 with Retry-After for a client that is too fast. A client is its principal, and
 * where nobody has to say who he is, its address; of an IPv6 address the first 64 bits, which is what one machine is
 * given. Runs after `authorize`, so that nobody can use up the allowance of somebody else.
 */
export function limitRate({ limit, authenticator, metrics }: LimitOptions): onRequestHookHandler {
  const limiter = new RateLimiter(limit)
  const limited = metrics.counter({
    name: 'http_server_rate_limited_requests_total',
    help: 'Requests answered 429 because their client was too fast.',
  })
  const clientOf = ({ principal, ip }: FastifyRequest): string =>
    authenticator.scheme === 'none' ? `address ${networkOf(ip)}` : `principal ${principal.name}`
  return (request, _reply, done) => {
    const waitMs = limiter.take(clientOf(request))
    if (waitMs === 0) return done()
    limited.inc()
    const seconds = String(Math.max(1, Math.ceil(waitMs / 1_000)))
    const detail = `A client may send ${limit.perSecond} requests a second, ${limit.burst} at once. Wait ${seconds} s.`
    done(rateLimitProblems.create('rate-limited', detail, { headers: { 'retry-after': seconds } }))
  }
}

/** 2001:db8:1:2:3:4:5:6 -> 2001:db8:1:2; ::ffff:1.2.3.4 is the address in it. */
export function networkOf(ip: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)?.[1]
  if (mapped !== undefined) return mapped
  if (!isIPv6(ip)) return ip
  const [head = '', tail] = ip.split('::')
  const [left, right] = [head, tail ?? ''].map((part) => part.split(':').filter(Boolean))
  const zeros = tail === undefined ? 0 : 8 - (left?.length ?? 0) - (right?.length ?? 0)
  return [...(left ?? []), ...Array.from({ length: zeros }, () => '0'), ...(right ?? [])].slice(0, 4).join(':')
}
