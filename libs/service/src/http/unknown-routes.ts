import findMyWay, { type HTTPMethod } from 'find-my-way'
import type { FastifyRequest } from 'fastify'
import type { Problem } from '../problems.ts'
import { serviceProblems } from '../service-problems.ts'

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

  problemFor({ method, url }: FastifyRequest): Problem {
    const path = url.split('?', 1)[0] ?? '/'
    const allowed = [...this.#methods].filter((each) => this.#router.find(each, path) !== null)
    if (allowed.length === 0) return serviceProblems.create('not-found', `${method} ${path} leads nowhere.`)
    const allow = allowed.toSorted().join(', ')
    return serviceProblems.create('method-not-allowed', `${path} takes ${allow}, not ${method}.`, {
      headers: { allow },
    })
  }
}

function isMethod(method: string): method is HTTPMethod {
  return /^[A-Z-]+$/.test(method)
}
