import { expect, test } from 'vitest'
import { loggedError } from './logged-error.ts'

class Refused extends Error {}

test('what was foreseen is one sentence, however deep its causes', () => {
  const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', syscall: 'connect' })
  expect(loggedError(cause)).toEqual({ type: 'Error', message: 'connect ECONNREFUSED', code: 'ECONNREFUSED' })
  const refused = new Refused('the store cannot be reached: connect ECONNREFUSED', { cause })
  expect(loggedError(refused)).toEqual({ type: 'Refused', message: refused.message })
})

test('what nobody foresaw has its stack', () => {
  expect(loggedError(new TypeError('x is not a function'))).toEqual({
    type: 'TypeError',
    message: 'x is not a function',
    stack: expect.stringContaining('logged-error.test.ts'),
  })
})

test('what is no error is told as it is', () => {
  expect(loggedError('gone')).toEqual({ type: 'string', message: 'gone' })
})
