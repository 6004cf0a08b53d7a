import { Problem } from '@ballast/service'
import { NotAppliedError } from '@ballast/state-stores/outcome'
import type { FastifyRequest } from 'fastify'
import { problems } from './problems.ts'

const headers = { 'retry-after': '1' }

/** What a read of a store answers; while the store is away a 503 instead of an error of ours. Which store it was stands in the log. */
export async function askStore<T>(request: FastifyRequest, action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (cause) {
    if (cause instanceof Problem) throw cause
    request.log.warn({ err: cause }, 'a store did not answer')
    throw problems.create('store-unavailable', 'A store did not answer; try again.', { headers, cause })
  }
}

/** The same for a change of a store, which may have happened although nobody said so. */
export async function changeStore<T>(request: FastifyRequest, action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (cause) {
    if (cause instanceof Problem) throw cause
    request.log.warn({ err: cause }, 'a store did not answer')
    if (cause instanceof NotAppliedError)
      throw problems.create('not-applied', 'The store did not take it; try again.', { headers, cause })
    throw problems.create('outcome-unknown', 'It is not known whether it was done; doing it again does no harm.', {
      cause,
    })
  }
}
