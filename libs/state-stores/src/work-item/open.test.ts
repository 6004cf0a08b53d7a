import { expect, test } from 'vitest'
import { openWorkItemStore } from './open.ts'

test('the scheme of the URL chooses the store', async () => {
  await using store = await openWorkItemStore('memory:')
  expect(store.backend).toBe('memory')
  await expect(openWorkItemStore('mysql://x')).rejects.toThrow('no work-item store for "mysql:"')
  await expect(openWorkItemStore('postgres://nobody@127.0.0.1:1/x')).rejects.toThrow(
    /^PostgreSQL at 127\.0\.0\.1:1 cannot be reached: .*ECONNREFUSED/,
  )
})
