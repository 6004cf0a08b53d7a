import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Admission } from './admission.ts'

const named = (...names: string[]) => names.map((name) => ({ name }))
const seen = (members: readonly { name: string }[]) => members.map(({ name }) => name).toSorted()
const nobody = new Set<string>()

test('so many newcomers a second; who has been let in stays, who owns something is never kept out', () => {
  const admission = new Admission(2)
  const crowd = named('d', 'c', 'b', 'a')
  expect(seen(admission.of(crowd, nobody, 0))).toEqual(['a', 'b'])
  expect(seen(admission.of(crowd, nobody, 100))).toEqual(['a', 'b'])
  expect(seen(admission.of(crowd, new Set(['d']), 200))).toEqual(['a', 'b', 'd'])
  expect(seen(admission.of(crowd, nobody, 700))).toEqual(['a', 'b', 'c', 'd'])
})

test('over any time no more strangers than a second of burst and the rate allow', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.array(fc.integer({ min: 1, max: 2_000 })), (perSecond, gaps) => {
      const admission = new Admission(perSecond)
      let nowMs = 0
      let admitted = 0
      for (const [step, gapMs] of gaps.entries()) {
        nowMs += gapMs
        const strangers = Array.from({ length: 30 }, (_, i) => ({ name: `${step}-${i}` }))
        admitted += admission.of(strangers, nobody, nowMs).length
      }
      expect(admitted).toBeLessThanOrEqual(perSecond + (nowMs * perSecond) / 1_000)
    }),
  )
})
