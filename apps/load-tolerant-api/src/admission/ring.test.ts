import { expect, test } from 'vitest'
import { Ring } from './ring.ts'

test('the oldest and the newest can be taken, however often it goes round and grows', () => {
  const ring = new Ring<number>()
  const model: number[] = []
  let wasEmpty = 0
  for (let step = 0; step < 5000; step++) {
    // Grows to a hundred, and is empty for a while.
    if (step % 3 === 0 || (step % 700 < 300 && step % 3 === 1)) {
      ring.push(step)
      model.push(step)
    } else {
      const both = step % 2 === 0 ? [ring.takeOldest(), model.shift()] : [ring.takeNewest(), model.pop()]
      if (both[0] !== both[1]) throw new Error(`step ${step}: ${both.join(' is not ')}`)
    }
    if (model.length === 0) wasEmpty++
    expect([ring.size, ring.oldest]).toEqual([model.length, model[0]])
  }
  expect(wasEmpty).toBeGreaterThan(100)
})
