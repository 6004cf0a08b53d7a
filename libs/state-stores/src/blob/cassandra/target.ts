import { assertParameters, decodePart, fileOf, flagOf, wholeNumber } from '../url-parameters.ts'

/** Where a Cassandra cluster is and what of it is ours. */
export interface CassandraTarget {
  readonly contactPoints: readonly string[]
  readonly keyspace: string
  /** Stores with different prefixes share a keyspace and see nothing of each other. */
  readonly prefix: string
  readonly datacenter: string
  /** Copies in the data centre, for a keyspace that has to be created. */
  readonly replication: number | undefined
  readonly credentials: { readonly username: string; readonly password: string } | undefined
  readonly tls: CassandraTls | undefined
  /** The address for sentences and logs: without user, password and parameters. */
  readonly label: string
}

/** PEM texts. */
export interface CassandraTls {
  /** Trusted instead of the authorities of the system. */
  readonly ca?: string
  /** For a cluster that asks its clients for a certificate. */
  readonly cert?: string
  readonly key?: string
}

const files = ['ca', 'cert', 'key'] as const

const form = 'cassandra://user:password@host1:port,host2:port/keyspace?datacenter=dc1'

/**
 * Reads `cassandra://user:password@host1:9042,host2:9042/keyspace[/prefix]?datacenter=dc1`. Parameters: `replication`
 * (how many copies, to create a missing keyspace with), `tls=true`, `ca` (PEM file of an authority to trust, in place
 * of those of the system; implies TLS), `cert` and `key` (PEM files, for a cluster that asks for a certificate; imply TLS). Throws a sentence that never holds the password.
 */
export function parseCassandraUrl(url: string): CassandraTarget {
  const parts = /^cassandra:\/\/(?:([^@/?]*)@)?([^@/?]+)(?:\/([^?@]*))?(?:\?(.*))?$/.exec(url)
  if (parts === null)
    throw new Error(`the cassandra: URL is not of the form ${form}; in a password, / is %2F and @ is %40`)
  const [, login = '', hosts = '', path = '', query = ''] = parts
  const [keyspace = '', prefix = '', ...more] = path.split('/')
  const label = `cassandra://${hosts}/${keyspace}`
  const parameters = new URLSearchParams(query)
  assertParameters(parameters, ['datacenter', 'replication', 'tls', ...files], label)
  if (!/^[a-zA-Z]\w{0,47}$/.test(keyspace)) {
    throw new Error(`${label}: the path has to begin with a keyspace: a letter, then up to 47 letters, digits and _`)
  }
  if (more.length > 0 || !/^[\w.-]{0,64}$/.test(prefix)) {
    throw new Error(`${label}: the path is a keyspace and perhaps a prefix of letters, digits and . _ -`)
  }
  const datacenter = parameters.get('datacenter')
  // It becomes part of a statement when a keyspace is created.
  if (datacenter === null || !/^[\w.-]{1,64}$/.test(datacenter)) {
    throw new Error(`${label}: say which data centre is near, as the cluster calls it: ?datacenter=<name>`)
  }
  return {
    contactPoints: hosts.split(',').map((host) => (/:\d+$/.test(host) ? host : `${host}:9042`)),
    keyspace,
    prefix,
    datacenter,
    replication: wholeNumber(parameters, 'replication', label),
    credentials: credentialsOf(login, label),
    tls: tlsOf(parameters, label),
    label,
  }
}

function tlsOf(parameters: URLSearchParams, label: string): CassandraTls | undefined {
  const asked = flagOf(parameters, 'tls', label)
  const given = files.filter((name) => parameters.has(name))
  if (asked === false && given.length > 0)
    throw new Error(`${label}: ${given.join(', ')}: only with TLS, and tls=false`)
  if (parameters.has('cert') !== parameters.has('key')) throw new Error(`${label}: cert and key go together`)
  if (asked !== true && given.length === 0) return undefined
  return Object.fromEntries(given.map((name) => [name, fileOf(parameters, name, label)]))
}

function credentialsOf(login: string, label: string): CassandraTarget['credentials'] {
  if (login === '') return undefined
  const [username = '', password = ''] = login.split(':').map((part) => decodePart(part, label))
  return { username, password }
}
