import type { FastifyRequest } from 'fastify'

/**
 * The requests without a finished answer. Whoever enters gets a place, and leaves with it.
 *
 * Not a `Set`: one that thousands enter and leave in each second is built anew all the time, and each former table, grown old, keeps what
 * it held alive until the next full collection (nepotism of generational collectors). With it hardly a request died young: of 50 MB that
 * were allocated 13 survived instead of 3, and a collection of the young took 18 ms instead of 3.
 */
export class OpenRequests implements Iterable<FastifyRequest> {
  readonly #places: (FastifyRequest | undefined)[] = []
  readonly #free: number[] = []

  get size(): number {
    return this.#places.length - this.#free.length
  }

  enter(request: FastifyRequest): number {
    const place = this.#free.pop() ?? this.#places.length
    this.#places[place] = request
    return place
  }

  /** Once for each place. */
  leave(place: number): void {
    this.#places[place] = undefined
    this.#free.push(place)
  }

  *[Symbol.iterator](): Iterator<FastifyRequest> {
    for (const request of this.#places) if (request !== undefined) yield request
  }
}
