import { Writable } from 'node:stream'
import pino from 'pino'
import { expect, test } from 'vitest'
import { logOptions } from './log.ts'

test('a line is JSON with level, time, name and msg, and without credentials', () => {
  const lines: string[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk))
      done()
    },
  })
  const log = pino(logOptions('counter', 'info'), stream)
  log.info(
    { token: 'hunter2', headers: { authorization: 'hunter2' }, req: { headers: { cookie: 'hunter2' } }, size: 3 },
    'hello',
  )
  log.debug('not at this level')
  expect(lines).toHaveLength(1)
  expect(lines[0]).not.toContain('hunter2')
  expect(JSON.parse(lines[0] ?? '')).toEqual({
    level: 'info',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    name: 'counter',
    token: '***',
    headers: { authorization: '***' },
    req: { headers: { cookie: '***' } },
    size: 3,
    msg: 'hello',
  })
})
