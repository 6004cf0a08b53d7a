import { expect, test } from 'vitest'
import { Turnstile } from './turnstile.ts'

test('first come, first served, and an aborted caller loses his place', async () => {
  const turnstile = new Turnstile()
  const passed: string[] = []
  const giveUp = new AbortController()
  const enter = (name: string, signal?: AbortSignal): Promise<void> =>
    turnstile.enter(signal).then(() => void passed.push(name))
  await enter('first')
  const aborted = enter('aborted', giveUp.signal)
  const [second, third] = [enter('second'), enter('third')]
  giveUp.abort(new Error('gave up'))
  await expect(aborted).rejects.toThrow('gave up')
  turnstile.leave()
  await second
  expect(turnstile.tryEnter()).toBe(false)
  turnstile.leave()
  await third
  expect(passed).toEqual(['first', 'second', 'third'])
})

test('a signal that is aborted already never enters, not even an empty turnstile', async () => {
  const turnstile = new Turnstile()
  await expect(turnstile.enter(AbortSignal.abort('late'))).rejects.toBe('late')
  expect(turnstile.tryEnter()).toBe(true)
  await expect(turnstile.enter(AbortSignal.abort('late'))).rejects.toBe('late')
  turnstile.leave()
  expect(turnstile.tryEnter()).toBe(true)
})
