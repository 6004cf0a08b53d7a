import { expect, test } from 'vitest'
import { parseCassandraUrl } from './cassandra/target.ts'
import { openBlobStore } from './open.ts'
import { escapeKey, unescapeKey } from './s3/keys.ts'
import { parseS3Url } from './s3/target.ts'
import fc from 'fast-check'

test('a cassandra: URL names hosts, keyspace, prefix, data centre and how to get in', () => {
  expect(
    parseCassandraUrl('cassandra://me:a%2Fb%40c@one:9999,two/blobs/mine?datacenter=dc1&replication=3&tls=true'),
  ).toEqual({
    contactPoints: ['one:9999', 'two:9042'],
    keyspace: 'blobs',
    prefix: 'mine',
    datacenter: 'dc1',
    replication: 3,
    credentials: { username: 'me', password: 'a/b@c' },
    tls: {},
    label: 'cassandra://one:9999,two/blobs',
  })
  expect(parseCassandraUrl('cassandra://one/blobs?datacenter=dc1')).toMatchObject({ prefix: '', tls: undefined })
})

test('an s3: URL is of AWS; s3+http: of anything else', () => {
  expect(parseS3Url('s3://bucket/a/b?region=eu-central-1')).toMatchObject({
    endpoint: undefined,
    bucket: 'bucket',
    prefix: 'a/b/',
    region: 'eu-central-1',
    credentials: undefined,
    pathStyle: false,
    label: 's3://bucket',
  })
  expect(parseS3Url('s3+http://key:s%2Fcret@host:9000/bucket?region=r&create=true&checksums=true')).toMatchObject({
    endpoint: 'http://host:9000',
    bucket: 'bucket',
    prefix: '',
    credentials: { accessKeyId: 'key', secretAccessKey: 's/cret' },
    pathStyle: true,
    create: true,
    checksums: 'WHEN_SUPPORTED',
    label: 's3+http://host:9000/bucket',
  })
})

test.each([
  ['cassandra://me:pass-phrase@host', 'begin with a keyspace'],
  ['cassandra://me:pass-phrase@host/blobs', '?datacenter='],
  ['cassandra://me:pass-phrase@host/blobs?datacenter=dc1&datacentre=x', '"datacentre" is no parameter'],
  ['cassandra://me:pass-phrase@host/blobs?datacenter=dc1&replication=0', 'replication=0'],
  ['cassandra://me:pass-phrase@host/blobs?datacenter=dc1&tls=yes', 'tls=yes'],
  ['cassandra://me:pass-phrase@host/blobs?datacenter=dc1&cert=/nowhere.pem', 'cert and key go together'],
  ['cassandra://me:pass-phrase@host/blobs?datacenter=dc1&ca=/nowhere.pem&tls=false', 'ca: only with TLS'],
  [
    'cassandra://me:pass-phrase@host/blobs?datacenter=dc1&ca=/nowhere.pem',
    'ca names a file that cannot be read (ENOENT',
  ],
  ['cassandra://me:pass-phrase@host/blobs/a/b?datacenter=dc1', 'a keyspace and perhaps a prefix'],
  ['cassandra://me:pass-phrase/@host/blobs?datacenter=dc1', 'not of the form cassandra://'],
  ["cassandra://host/blobs?datacenter='};DROP", 'data centre'],
  ['s3+http://me:pass-phrase@host:9000/?region=r', 'begin with a bucket'],
  ['s3+http://me:pass-phrase@host:9000/Bucket?region=r', 'begin with a bucket'],
  ['s3+http://me:pass-phrase@host:9000/bucket/ü?region=r', 'a prefix has'],
  ['s3+http://me:pass-phrase@host:9000/bucket?regoin=r', '"regoin" is no parameter'],
  [
    's3+https://me:pass-phrase@host:9000/bucket?region=r&ca=/nowhere.pem',
    'ca names a file that cannot be read (ENOENT',
  ],
  ['s3+http://me:pass/phrase@host:9000/bucket?region=r', 'not of the form s3://'],
  ['s3://me:pass-phrase@bucket/?region=r', 'takes no keys'],
  ['redis://me:pass-phrase@host', '"redis:" names no blob store'],
])('%s is refused in one sentence that holds no password', async (url, what) => {
  const error: unknown = await openBlobStore(url, { setting: '--store (X)' }).catch((reason: unknown) => reason)
  const message = error instanceof Error ? error.message : ''
  expect(message).toContain(what)
  expect(message).toContain('--store (X)')
  expect(message).not.toMatch(/pass.phrase/)
})

test('every key has an escaped form of its own that is no folder of another, in segments that file systems take', () => {
  const key = fc.string({ unit: 'binary', minLength: 1, maxLength: 100 }).filter((text) => text.isWellFormed())
  fc.assert(
    fc.property(key, key, (one, other) => {
      const [a, b] = [escapeKey(one), escapeKey(other)]
      expect(unescapeKey(a)).toBe(one)
      expect(a === b).toBe(one === other)
      expect(b.startsWith(`${a}/`)).toBe(false)
      expect(a).toMatch(/^[\w!/-]+$/)
      for (const segment of a.split('/')) expect(segment.length).toBeLessThanOrEqual(201)
    }),
  )
  expect(escapeKey('x'.repeat(201))).toBe(`${'x'.repeat(200)}!/x`)
  expect(unescapeKey('a b')).toBeUndefined()
})
