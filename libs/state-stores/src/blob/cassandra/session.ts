import { auth, Client, policies, types, type DseClientOptions } from 'cassandra-driver'
import { reasonOf, whatBecame } from './outcome.ts'
import { ensureSchema } from './schema.ts'
import type { CassandraTarget } from './target.ts'

export type Value = string | number | bigint | Buffer

/** A row's columns by name; null is a column without a value. */
export type Row = ReadonlyMap<string, unknown>

export interface Page {
  readonly rows: readonly Row[]
  readonly next: string | undefined
}

/**
 * The driver, tamed: nothing is sent twice (no retries, no speculative executions), every call has a time-out, reads and
 * writes are LOCAL_QUORUM, statements are prepared and go to a node that has the data, certificates are verified (the
 * driver does not, unless told), and nobody is told about us (its "insights").
 */
export class CassandraSession {
  readonly label: string
  readonly #client: Client

  private constructor(client: Client, label: string) {
    this.#client = client
    this.label = label
  }

  /** Rejects with one sentence that says what is wrong, without the password. */
  static async open(target: CassandraTarget, timeoutMs: number): Promise<CassandraSession> {
    const { label, keyspace, datacenter } = target
    const setUp = new Client(clientOptions(target, timeoutMs))
    const client = new Client({ ...clientOptions(target, timeoutMs), keyspace })
    try {
      await setUp.connect()
      await ensureSchema(setUp, target)
      await client.connect()
      return new CassandraSession(client, label)
    } catch (error) {
      await client.shutdown()
      const reason = reasonOf(error)
      throw new Error(reason.startsWith(label) ? reason : `${label}: ${explained(reason, datacenter)}`, {
        cause: error,
      })
    } finally {
      await setUp.shutdown()
    }
  }

  async run(statement: string, values: readonly Value[]): Promise<readonly Row[]> {
    return (await this.page(statement, values)).rows
  }

  async page(statement: string, values: readonly Value[], fetchSize = 5000, state?: string): Promise<Page> {
    const options = { prepare: true, fetchSize, ...(state === undefined ? {} : { pageState: state }) }
    const result = await this.#client.execute(statement, [...values], options).catch((error: unknown) => {
      throw whatBecame(error, this.label)
    })
    // Statements that return nothing have no rows, whatever the driver's types say.
    const found: readonly types.Row[] | undefined = result.rows
    const rows = (found ?? []).map((row) => new Map<string, unknown>(row.keys().map((name) => [name, row.get(name)])))
    return { rows, next: typeof result.pageState === 'string' ? result.pageState : undefined }
  }

  close(): Promise<void> {
    return this.#client.shutdown()
  }
}

function clientOptions(target: CassandraTarget, timeoutMs: number): DseClientOptions {
  const { contactPoints, datacenter, credentials, tls } = target
  return {
    contactPoints: [...contactPoints],
    localDataCenter: datacenter,
    // The driver hears of the other nodes without their ports, and would take 9042.
    protocolOptions: { port: portOf(contactPoints) },
    ...(credentials && {
      authProvider: new auth.PlainTextAuthProvider(credentials.username, credentials.password),
    }),
    ...(tls && { sslOptions: { ...tls, rejectUnauthorized: true } }),
    policies: {
      loadBalancing: new policies.loadBalancing.TokenAwarePolicy(
        new policies.loadBalancing.DCAwareRoundRobinPolicy(datacenter),
      ),
      retry: new policies.retry.FallthroughRetryPolicy(),
      speculativeExecution: new policies.speculativeExecution.NoSpeculativeExecutionPolicy(),
      reconnection: new policies.reconnection.ExponentialReconnectionPolicy(100, 4000, true),
    },
    // A connection that is half open is found by this, as by any call that times out.
    pooling: { heartBeatInterval: 5000 },
    socketOptions: { connectTimeout: timeoutMs, readTimeout: timeoutMs, defunctReadTimeoutThreshold: 8 },
    queryOptions: {
      consistency: types.consistencies.localQuorum,
      // Of conditional writes: decided within the data centre, as everything else is.
      serialConsistency: types.consistencies.localSerial,
      isIdempotent: false,
    },
    encoding: { useBigIntAsLong: true },
    monitorReporting: { enabled: false },
  }
}

const portOf = ([first = '']: readonly string[]): number => Number(first.slice(first.lastIndexOf(':') + 1))

/** What the driver says in its own terms, for whoever sets the URL. */
function explained(reason: string, datacenter: string): string {
  if (/bad credentials|username and\/or password|Authentication|requires authentication/i.test(reason)) {
    return `user or password of the URL are wrong (${reason})`
  }
  if (/localDataCenter|local data center|is not a valid data ?center/i.test(reason)) {
    return `there is no data centre "${datacenter}" (${reason})`
  }
  // Not in the words of OpenSSL, which take several lines.
  if (/alert (certificate required|bad certificate|unknown ca)/i.test(reason)) {
    return 'it takes only clients with a certificate that it trusts: name one with ?cert=<file>&key=<file>'
  }
  if (/no (CREATE|ALTER|MODIFY|SELECT) permission/i.test(reason)) {
    return `the role of the URL only reads, or not even that: grant it SELECT and MODIFY on the keyspace, and CREATE for the first start (${reason})`
  }
  if (/self.signed|unable to verify|certificate/i.test(reason)) {
    return `its certificate is not trusted: name the authority with ?ca=<file> (${reason})`
  }
  return reason
}
