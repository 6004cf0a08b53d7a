import { expect, test } from 'vitest'
import { suiteOf } from './backend-report.ts'

test('files of one name in different folders are different suites', () => {
  const names = ['src/counter/redis.test.ts', 'src/stream/redis.test.ts'].map((file) =>
    suiteOf(`/stores/${file}`, '/stores'),
  )
  expect(names).toEqual(['src.counter.redis', 'src.stream.redis'])
})
