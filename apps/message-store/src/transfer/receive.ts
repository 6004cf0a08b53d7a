import { Problem, serviceProblems } from '@ballast/service'
import type { NewEntry } from '@ballast/state-stores/blob'
import type { FastifyRequest } from 'fastify'
import type { Blobs, Put } from '../blobs.ts'
import type { Family, MessageMetrics } from '../metrics.ts'
import { problems } from '../problems.ts'
import { failureOf, refusal, storeFull } from '../refusals.ts'
import { bodyOf, plainSizeOf, wholeBodyOf } from './body.ts'

export interface Receiver {
  readonly blobs: Blobs
  readonly metrics: MessageMetrics
}

export type Stored = Extract<Put, { digest: string; sizeBytes: number }>

/** Stores the body of a request, streamed and verified; every refusal is a Problem, and leaves nothing. */
export function receive(
  { blobs, metrics }: Receiver,
  family: Family,
  entry: NewEntry,
  request: FastifyRequest,
): Promise<Stored> {
  const sizeBytes = plainSizeOf(request)
  return storing(metrics, family, async () =>
    sizeBytes !== undefined && sizeBytes <= blobs.inlineBytes
      ? blobs.put(entry, await wholeBodyOf(request))
      : blobs.putStream(entry, bodyOf(request)),
  )
}

/** What becomes of a put: counted, and every outcome but success a Problem. */
export async function storing(metrics: MessageMetrics, family: Family, put: () => Promise<Put>): Promise<Stored> {
  const outcome = await put().catch((error: unknown) => {
    // An error of the client's own body changed nothing, and is none of the store.
    const refused = refusal(error)
    metrics.put(refused === undefined ? 'refused' : failureOf(error), 0, family)
    throw refused ?? error
  })
  if (outcome.outcome === 'full') {
    metrics.put('full', 0, family)
    throw storeFull()
  }
  if (outcome.outcome === 'taken') {
    metrics.put('refused', 0, family)
    throw nameTaken(outcome.digest)
  }
  if (outcome.outcome === 'mismatch') {
    metrics.put('refused', 0, family)
    throw problems.create('digest-mismatch', `What arrived has the SHA-256 ${outcome.digest}; nothing was stored.`)
  }
  if (outcome.outcome === 'too-large') {
    metrics.put('refused', 0, family)
    throw tooLarge(outcome.limitBytes)
  }
  metrics.put(outcome.outcome, outcome.sizeBytes, family)
  return outcome
}

/** What was to be new is not, and was left as it is. */
export function nameTaken(digest: string): Problem {
  return problems.create('name-taken', `It leads to the SHA-256 ${digest}, and was left as it is.`, {
    headers: { etag: `"${digest}"` },
  })
}

function tooLarge(limitBytes: number): Problem {
  return serviceProblems.create('body-too-large', `The body may have ${limitBytes} bytes here.`)
}
