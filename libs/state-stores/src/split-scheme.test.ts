import { describe, expect, test } from 'vitest'
import { openBlobStore } from './blob/index.ts'
import { openCache } from './cache/index.ts'
import { openCounterStore } from './counter/index.ts'
import { openDocumentStore } from './document/index.ts'
import { splitScheme } from './split-scheme.ts'
import { openStream } from './stream/index.ts'
import { openWorkItemStore } from './work-item/index.ts'
import { openWorkerRegistry } from './worker-registry/index.ts'

test('blanks and upper case do not change which store is meant', () => {
  expect(splitScheme(' Redis://u:Pw@h/0\n')).toEqual({ url: 'redis://u:Pw@h/0', scheme: 'redis', rest: '//u:Pw@h/0' })
  expect(splitScheme('s3+http://b')).toMatchObject({ scheme: 's3+http', rest: '//b' })
  expect(splitScheme('/data/counter.json')).toEqual({
    url: '/data/counter.json',
    scheme: '',
    rest: '/data/counter.json',
  })
})

describe.each([
  ['counter', openCounterStore],
  ['blob', openBlobStore],
  ['document', openDocumentStore],
  ['stream', openStream],
  ['cache', openCache],
  ['work-item', openWorkItemStore],
  ['worker-registry', openWorkerRegistry],
] as const)('%s', (_, open) => {
  test.each([' nosuch://u:hunter2@h/0', 'NOSUCH://:hunter2@h', '//u:hunter2@h', 'hunter2@h', 'hunter2'])(
    'what names no store is refused without being shown: %s',
    async (url) => {
      const error: unknown = await (async () => open(url))().catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(Error)
      expect(String(error)).not.toContain('hunter2')
    },
  )
})
