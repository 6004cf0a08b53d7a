import { expect, test } from 'vitest'
import { policiesOf } from './policies.ts'

test('each family has its own quota and time of life; caches are evicted', () => {
  const policies = policiesOf({
    evict: ['bazel', 'nx'],
    familyQuotas: ['bazel=20GiB', 'messages=1KiB'],
    familyTtls: ['bazel=7d'],
  })
  expect(policies).toMatchObject({
    bazel: { whenFull: 'evict', quotaBytes: 20 * 2 ** 30, ttlMs: 7 * 86_400_000 },
    nx: { whenFull: 'evict' },
    messages: { whenFull: 'keep', quotaBytes: 1024 },
    ccache: { whenFull: 'keep' },
  })
  expect(Object.values(policiesOf({ evict: ['none'], familyQuotas: [], familyTtls: [] }))).toHaveLength(9)
})

test.each([
  [{ evict: ['messages'] }, '--evict takes bazel, nx, ccache, cas, ac or none, not "messages"'],
  [{ familyQuotas: ['cargo=5GiB'] }, '--family-quotas takes <family>=20GiB of messages'],
  [{ familyQuotas: ['bazel=lots'] }, '--family-quotas: bazel must be'],
  [{ familyQuotas: ['bazel'] }, '--family-quotas: bazel must be'],
  [{ familyTtls: ['bazel=often'] }, '--family-ttls: bazel must be'],
])('%j is refused in one sentence', (settings, sentence) => {
  const defaults = { evict: [], familyQuotas: [], familyTtls: [] }
  expect(() => policiesOf({ ...defaults, ...settings })).toThrow(sentence)
})
