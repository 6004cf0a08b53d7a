import type { FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify'
import type { Health, Probe, ProbeResult } from '../health.ts'
import type { App } from './app.ts'

/** `false`: the route is not there, and the app may define it. */
export interface HealthRoutes {
  readonly livez?: boolean
  readonly readyz?: boolean
  readonly startupz?: boolean
  /** An alias of livez. */
  readonly healthz?: boolean
}

/** `/livez`, `/readyz`, `/startupz`, in the manner of Kubernetes: `ok`, or 503 with the checks that fail; `?verbose` lists all. */
export function addHealthRoutes(app: App, health: Health, wanted: HealthRoutes = {}): void {
  const routes: readonly (readonly [keyof HealthRoutes, Probe])[] = [
    ['livez', 'livez'],
    ['readyz', 'readyz'],
    ['startupz', 'startupz'],
    ['healthz', 'livez'],
  ]
  for (const [name, probe] of routes) {
    if (wanted[name] === false) continue
    app.get(
      `/${name}`,
      { config: { role: 'public' }, schema: { hide: true }, exposeHeadRoute: true },
      probeHandler(health, probe),
    )
  }
}

function probeHandler(health: Health, probe: Probe): RouteHandlerMethod {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const result = await health.probe(probe)
    void reply.code(result.ok ? 200 : 503).header('cache-control', 'no-store')
    if (request.headers.accept?.includes('json')) {
      return reply.type('application/health+json').send(JSON.stringify(asJson(result)))
    }
    const verbose = /[?&]verbose(=|&|$)/.test(request.url)
    return reply.type('text/plain; charset=utf-8').send(asText(probe, result, verbose))
  }
}

export function asText(probe: Probe, { ok, checks }: ProbeResult, verbose: boolean): string {
  if (ok && !verbose) return 'ok\n'
  const lines = checks
    .filter((check) => verbose || !check.ok)
    .map((check) => {
      const note = check.gates === 'none' ? ' (for information)' : ''
      return check.ok ? `[+]${check.name} ok${note}` : `[-]${check.name} failed${note}: ${check.reason ?? ''}`
    })
  return `${[...lines, `${probe} check ${ok ? 'passed' : 'failed'}`].join('\n')}\n`
}

function asJson({ ok, checks }: ProbeResult): object {
  return {
    status: ok ? 'pass' : 'fail',
    checks: Object.fromEntries(
      checks.map(({ name, ok, reason, gates }) => [
        name,
        [
          {
            status: ok ? 'pass' : gates === 'none' ? 'warn' : 'fail',
            ...(reason === undefined ? {} : { output: reason }),
          },
        ],
      ]),
    ),
  }
}
