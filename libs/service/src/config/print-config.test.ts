import { expect, test } from 'vitest'
import { redactUrl } from './print-config.ts'

test.each([
  ['redis://user:secret@host:6379/0', 'redis://user:***@host:6379/0'],
  ['redis://:secret@host', 'redis://:***@host'],
  ['postgres://a:b@c/d,postgres://e:f@g/h', 'postgres://a:***@c/d,postgres://e:***@g/h'],
  ['http://host:80/path@2', 'http://host:80/path@2'],
  ['file:./data.json', 'file:./data.json'],
])('%s is shown as %s', (text, shown) => {
  expect(redactUrl(text)).toBe(shown)
})
