import { expect, test } from 'vitest'
import { parseMongoUrl } from './mongodb-target.ts'

test('database and collection come from the path and have the defaults of the assessment', () => {
  expect(parseMongoUrl('mongodb://mongo:27017')).toMatchObject({
    uri: 'mongodb://mongo:27017/assessmentdb',
    database: 'assessmentdb',
    collection: 'records',
  })
  expect(parseMongoUrl('mongodb://a:1,b:2/shop/orders?replicaSet=r&socketTimeoutMS=9')).toMatchObject({
    uri: 'mongodb://a:1,b:2/shop?replicaSet=r&socketTimeoutMS=9',
    database: 'shop',
    collection: 'orders',
    given: new Set(['replicaSet', 'socketTimeoutMS']),
  })
})

test('no sentence about an URL holds a password', () => {
  expect(parseMongoUrl('mongodb+srv://me:secret@host/db').label).toBe('mongodb+srv://host/db')
  for (const wrong of [
    'mongodb://me:sec/ret@host/db',
    'mongodb://me:sec@ret@host/db',
    'mongodb://me:sec?ret@host/db',
    'mongodb://me:secret@host/a/b/c',
  ]) {
    expect(() => parseMongoUrl(wrong)).toThrow(/^(?!.*(sec|ret@)).+$/)
  }
})
