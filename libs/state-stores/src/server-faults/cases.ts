import { createHash } from 'node:crypto'
import { openBlobStore } from '../blob/index.ts'
import { openCounterStore } from '../counter/index.ts'
import { encodeDocument } from '../document/bson.ts'
import { openDocumentStore } from '../document/index.ts'
import { openStream } from '../stream/index.ts'
import { openWorkItemStore } from '../work-item/index.ts'
import type { ServerCase, Subject } from './subject.ts'

const timeoutMs = 1_500
const settled = (outcome: unknown, expected: RegExp): void => {
  if (typeof outcome !== 'string' || !expected.test(outcome)) throw new TypeError(`answered ${String(outcome)}`)
}

async function counter(url: string): Promise<Subject> {
  const store = await openCounterStore(url, { timeoutMs, resolveMs: 1_000 })
  return {
    write: (n) => store.commit([{ kind: 'set', name: `items/${n}`, to: BigInt(n) }]),
    async missing(numbers) {
      const missing: number[] = []
      for (let at = 0; at < numbers.length; at += 100) {
        const some = numbers.slice(at, at + 100)
        const found = await store.read(some.map((n) => `items/${n}`))
        missing.push(...some.filter((n, index) => found[index]?.value !== BigInt(n)))
      }
      return missing
    },
    check: () => store.check(),
    [Symbol.asyncDispose]: () => store.close(),
  }
}

const blobName = (n: number) => ({ namespace: 'items', key: String(n) })

async function blob(url: string): Promise<Subject> {
  const store = await openBlobStore(url, { timeoutMs })
  return {
    async write(n) {
      const { outcome } = await store.put({ name: blobName(n) }, [Buffer.from(String(n))])
      settled(outcome, /^(created|exists)$/)
    },
    async missing(numbers) {
      const found = await store.stat(numbers.map(blobName))
      return numbers.filter((_, index) => found[index] === undefined)
    },
    check: () => store.check(),
    [Symbol.asyncDispose]: () => store.close(),
  }
}

const hexOf = (n: number, digits: number): string =>
  createHash('sha256').update(String(n)).digest('hex').slice(0, digits)

async function documents(url: string): Promise<Subject> {
  const store = await openDocumentStore(
    `${url}&socketTimeoutMS=1500&serverSelectionTimeoutMS=1500&connectTimeoutMS=1500`,
  )
  return {
    async write(n) {
      const [inserted] = await store.insertMany([encodeDocument(hexOf(n, 24), { type: 'write', n })])
      settled(inserted?.outcome, /^(inserted|exists)$/)
    },
    async missing(numbers) {
      const found = await store.get(numbers.map((n) => hexOf(n, 24)))
      return numbers.filter((_, index) => found[index] === undefined)
    },
    check: () => store.check(),
    [Symbol.asyncDispose]: () => store.close(),
  }
}

async function stream(url: string): Promise<Subject> {
  const store = await openStream(`${url}?timeoutMs=${timeoutMs}`)
  return {
    async write(n) {
      const [appended] = await store.append([{ documents: 1, body: Buffer.from(String(n)) }])
      settled(appended?.outcome, /^appended$/)
    },
    async missing(numbers) {
      const queued = await store.queued({ limit: 100_000 })
      const found = new Set(queued.map(({ body }) => Number(Buffer.from(body).toString())))
      return numbers.filter((n) => !found.has(n))
    },
    check: () => store.check(),
    [Symbol.asyncDispose]: () => store.close(),
  }
}

const idOf = (n: number): string => hexOf(n, 32).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')

async function workItems(url: string): Promise<Subject> {
  const store = await openWorkItemStore(url, { timeoutMs })
  return {
    write: (n) => store.rows.add({ ids: [idOf(n)] }),
    async missing(numbers) {
      const found = new Set((await store.rows.list(undefined, 100_000)).map(({ id }) => id))
      return numbers.filter((n) => !found.has(idOf(n)))
    },
    check: () => store.check(),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

const usual = { durability: 'disk', end: 'SIGKILL', longestCallMs: 8_000 } as const
const everysec = 'SIGKILL of the server; a loss of power takes the last two seconds'

/** Every adapter that keeps something on a server. The cache is not among them: it promises nothing. */
export const serverCases: readonly ServerCase[] = [
  { ...usual, store: 'counter, appendfsync always', kind: 'redis', promise: 'loss of power', open: counter },
  { ...usual, store: 'counter, everysec', kind: 'redis', durability: 'process', promise: everysec, open: counter },
  { ...usual, store: 'stream, appendfsync always', kind: 'redis', promise: 'loss of power', open: stream },
  { ...usual, store: 'stream, everysec', kind: 'redis', durability: 'process', promise: everysec, open: stream },
  { ...usual, store: 'counter', kind: 'postgres', promise: 'loss of power', open: counter },
  { ...usual, store: 'work-item', kind: 'postgres', promise: 'loss of power', open: workItems },
  {
    ...usual,
    store: 'counter',
    kind: 'dynamodb',
    // DynamoDB Local answers transactions before they survive SIGKILL; DynamoDB itself has them in two zones.
    end: 'SIGTERM',
    promise: 'SIGTERM of DynamoDB Local, which loses answered transactions under SIGKILL',
    open: (url) => counter(url.replace('?', '/server-faults?')),
  },
  {
    ...usual,
    store: 'blob, commitlog_sync batch',
    kind: 'cassandra',
    promise: 'loss of power',
    longestCallMs: 15_000,
    open: (url) => blob(url.replace(/\/?\?/, '/server_faults?replication=1&')),
  },
  {
    ...usual,
    store: 'blob',
    kind: 's3',
    promise: 'SIGKILL of S3Proxy, which leaves syncing to the kernel',
    longestCallMs: 15_000,
    open: (url) => blob(url.replace(/\/?\?/, '/server-faults/?create=true&')),
  },
  { ...usual, store: 'document, {w: majority, j: true}', kind: 'mongodb', promise: 'loss of power', open: documents },
]
