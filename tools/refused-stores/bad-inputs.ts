import type { Adapter } from './adapters.ts'

/** Servers of the kind: plain, with TLS, following another one, of an old version. Those that a kind has are there. */
export interface Servers {
  /** The plain one, with a namespace of its own. */
  readonly own: string
  readonly tls?: { readonly own: string; readonly otherCa: string }
  readonly replica?: string
  readonly old?: string
  readonly forgetful?: string
  /** One that holds data of a later release. */
  readonly later?: string
}

export interface BadInput {
  readonly name: string
  readonly url: (adapter: Adapter, servers: Servers) => string | undefined
  /** In the one sentence with which the service is refused. */
  readonly says: RegExp
}

const secret = 'my-s3cret-word'
/** Whatever is tried, none of these words may be said. */
export const secrets: readonly string[] = [secret, 'local-credential']

const withLogin = (url: string): string => url.replace(/:\/\/(?:[^@/]*@)?/, `://somebody:${secret}@`)
const at = (url: string, host: string): string => withLogin(url).replace(/@[^/:?]+:\d+/, `@${host}`)

export const badInputs: readonly BadInput[] = [
  {
    name: 'a scheme that nobody knows',
    url: () => `nats://somebody:${secret}@127.0.0.1:4222/x`,
    says: /"nats:?"/,
  },
  {
    name: 'a parameter that nobody knows',
    url: ({ misspelt }, { own }) => misspelt(own),
    says: /colour/,
  },
  {
    name: 'a host that does not resolve',
    url: (_, { own }) => at(own, 'no-such-host.invalid:4321'),
    says: /ENOTFOUND|EAI_AGAIN|no-such-host/,
  },
  {
    name: 'a port that refuses',
    url: (_, { own }) => at(own, '127.0.0.1:1'),
    says: /127\.0\.0\.1:1\b.*ECONNREFUSED/,
  },
  {
    name: 'a wrong password',
    url: (_, { own }) => withLogin(own),
    says: /password|refuses these keys/,
  },
  {
    name: 'an authority that did not sign',
    url: ({ overTls }, { tls }) => tls && overTls(tls.own, tls.otherCa),
    says: /certificate/,
  },
  {
    name: 'no TLS where the server wants it',
    url: ({ withoutTls }, { tls }) => tls && withoutTls(tls.own),
    says: /127\.0\.0\.1:\d+/,
  },
  {
    name: 'TLS where the server has none',
    url: ({ overTls }, { own }) => overTls(own),
    says: /127\.0\.0\.1:\d+/,
  },
  {
    name: 'a database, keyspace or bucket that is not there',
    url: ({ absent }, { own }) => absent?.(own),
    says: /999|"nowhere"/,
  },
  {
    name: 'data of a later release',
    url: (_, { later }) => later,
    says: /upgrade this service/,
  },
  {
    name: 'a server that only reads',
    url: (_, { replica }) => replica,
    says: /read-only|only reads?/,
  },
  {
    name: 'a server that is too old',
    url: (_, { old }) => old,
    says: /it is version (3|6|13)/,
  },
  {
    name: 'a server that may forget',
    url: (_, { forgetful }) => forgetful,
    says: /maxmemory-policy is allkeys-lru.*noeviction/,
  },
]

const password = 'a wrong password'
const [place, later, reads, old, forgets] = [
  'a database, keyspace or bucket that is not there',
  'data of a later release',
  'a server that only reads',
  'a server that is too old',
  'a server that may forget',
] as const
const noRights = 'the test server knows no rights; a write without them is refused as not applied'
const withOne = 'with one, see server-access.test.ts and blob/cassandra/access.test.ts of state-stores'
const noVersion = 'only the version of the protocol matters, which the driver checks'
const noEviction = 'it never evicts'

/** What an adapter's server does not have, and why. */
export const lacking: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'counter/postgres': { [forgets]: noEviction },
  'counter/dynamodb': {
    [password]: 'DynamoDB Local takes every key',
    [place]: 'a table that is missing is created',
    [reads]: noRights,
    [old]: noVersion,
    [forgets]: noEviction,
  },
  'blob/cassandra': {
    [password]: `without an authenticator it asks nobody; ${withOne}`,
    [later]: 'nothing but the driver could write the row; the check is the same as for blobs in LMDB',
    [reads]: `without an authorizer everybody may; ${withOne}`,
    [forgets]: noEviction,
  },
  'blob/s3': {
    [later]: 'objects describe themselves, each by its own metadata',
    [old]: noVersion,
    [forgets]: noEviction,
  },
  'stream/redis': { [later]: 'each entry has its own format, and a later one is left to a later consumer' },
  'document/mongodb': {
    [password]: 'the stand-in checks none; a real mongod does',
    [place]: 'databases and collections are made by the first write',
    [later]: 'documents are BSON, in no format of ours',
    [reads]: noRights,
    [old]: noVersion,
    [forgets]: noEviction,
  },
  'work-item/postgres': {
    [later]: 'a release runs on any later schema, as a roll-out mixes both',
    [forgets]: noEviction,
  },
}
