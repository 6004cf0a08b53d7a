import { sharedBackend } from '@ballast/backends'
import { countSuite } from '@ballast/backends/describe-on-backend'
import { ownNamespace } from '@ballast/backends/own-namespace'
import pg from 'pg'
import { afterAll, afterEach } from 'vitest'

/** For tests: fresh databases in the server that all share. */
export interface TestPostgres {
  database(): Promise<TestDatabase>
}

export interface TestDatabase extends TestSession {
  readonly url: string
  readonly name: string
  /** A connection of its own, for open transactions. */
  session(): Promise<TestSession>
}

export interface TestSession extends AsyncDisposable {
  run<Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<Row[]>
}

/** Await it at the top level of a test file. Databases of tests that failed are kept, and stderr says where. */
export async function testPostgres(): Promise<TestPostgres> {
  const server = await sharedBackend('postgres')
  countSuite(server)
  const admin = await openSession(server.url)
  afterAll(() => admin[Symbol.asyncDispose]())
  const made = new Set<string>()
  const closed = new Set<string>()
  const drop = async (names: Iterable<string>): Promise<void> => {
    for (const name of names) {
      await admin.run(`DROP DATABASE ${name} WITH (FORCE)`)
      made.delete(name)
      closed.delete(name)
    }
  }
  // Hooks run in the reverse order: this one while `admin` is still there.
  const namespace = ownNamespace(server.url, () => drop(made))
  // Not all of them at the end: a database takes 8 MB.
  afterEach(({ task }) => (task.result?.state === 'fail' ? closed.clear() : drop(closed)))
  let count = 0
  return {
    async database() {
      const name = `${namespace}_${++count}`
      await admin.run(`CREATE DATABASE ${name}`)
      made.add(name)
      const url = new URL(server.url)
      url.pathname = `/${name}`
      const session = await openSession(url.href)
      return {
        url: url.href,
        name,
        run: (text, values) => session.run(text, values),
        session: () => openSession(url.href),
        async [Symbol.asyncDispose]() {
          await session[Symbol.asyncDispose]()
          closed.add(name)
        },
      }
    },
  }
}

async function openSession(url: string): Promise<TestSession> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  return {
    run: async <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []) =>
      (await client.query<Row>(text, [...values])).rows,
    [Symbol.asyncDispose]: () => client.end(),
  }
}
