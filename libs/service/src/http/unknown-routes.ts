import findMyWay, { type HTTPMethod } from 'find-my-way'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { serviceProblems } from '../service-problems.ts'
import { sendProblem } from './answer-errors.ts'

/**
 * Tells an unknown URL (404) from a known one with another method (405 with `Allow`), which Fastify does not.
 * The same router with the same rules keeps each pattern's methods; it is asked only when Fastify found nothing.
 */
export class UnknownRoutes {
  readonly #router
  readonly #methods = new Set<HTTPMethod>()
  readonly #known = new Set<string>()

  constructor(maxParamLength: number) {
    this.#router = findMyWay({ maxParamLength, ignoreTrailingSlash: false })
  }

  add(methods: readonly string[], url: string): void {
    for (const method of methods.filter(isMethod)) {
      if (this.#known.has(`${method} ${url}`)) continue
      this.#known.add(`${method} ${url}`)
      this.#methods.add(method)
      this.#router.on(method, url, () => {})
    }
  }

  answer(request: FastifyRequest, reply: FastifyReply): void {
    const path = request.url.split('?', 1)[0] ?? '/'
    const allowed = [...this.#methods].filter((method) => this.#router.find(method, path) !== null)
    if (allowed.length === 0) {
      sendProblem(serviceProblems.create('not-found', `${request.method} ${path} leads nowhere.`), request, reply)
      return
    }
    const allow = allowed.toSorted().join(', ')
    const detail = `${path} takes ${allow}, not ${request.method}.`
    sendProblem(serviceProblems.create('method-not-allowed', detail, { headers: { allow } }), request, reply)
  }
}

function isMethod(method: string): method is HTTPMethod {
  return /^[A-Z-]+$/.test(method)
}
