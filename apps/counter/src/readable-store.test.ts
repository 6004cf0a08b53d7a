import { openCounterStore, StoreUnavailableError } from '@ballast/state-stores/counter'
import { expect, test } from 'vitest'
import { testApp } from './test-app.ts'

const away = () => Promise.reject(new StoreUnavailableError('Redis at db:6379 cannot be reached'))

test.each(['/', '/v1/counters/a/b', '/v1/counters'])(
  'GET %s of a store that is away is a 503 to retry',
  async (url) => {
    const memory = await openCounterStore('memory:')
    const { app } = await testApp({ store: { ...memory, read: away, scan: away } })
    const answer = await app.inject(url)
    expect(answer.json()).toMatchObject({ status: 503, code: 'store-unavailable' })
    expect(answer.headers['retry-after']).toBe('1')
    expect(answer.body).not.toContain('db:6379')
  },
)
