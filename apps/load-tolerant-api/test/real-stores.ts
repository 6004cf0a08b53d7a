import { BackendUnavailableError, type RunningBackend, startBackend } from '@ballast/backends'
import { countSuite } from '@ballast/backends/describe-on-backend'
import { describe, expect, test } from 'vitest'

export interface RealStores {
  readonly redis: RunningBackend
  readonly mongodb: RunningBackend
}

/** `describe` for tests that need a Redis and a MongoDB of their own, to kill them; skipped with the reason where they cannot be had. */
export async function describeOnRealStores(suites: (stores: RealStores) => void): Promise<void> {
  const started = await start().catch((error: unknown) => {
    if (error instanceof BackendUnavailableError) return error
    throw error
  })
  if (started instanceof BackendUnavailableError) declareMissing(started)
  else declare(started, suites)
}

function declare(stores: RealStores, suites: (stores: RealStores) => void): void {
  describe(`on redis ${stores.redis.version} and ${stores.mongodb.version}`, () => {
    countSuite(stores.redis, stores.mongodb)
    suites(stores)
  })
}

function declareMissing({ message }: BackendUnavailableError): void {
  test.skipIf(process.env['BACKENDS'] !== 'all')(`needs ${message}`, () => {
    expect.fail(message)
  })
}

async function start(): Promise<RealStores> {
  const redis = await startBackend('redis', { durability: 'disk' })
  return { redis, mongodb: await startBackend('mongodb', { durability: 'disk' }) }
}
