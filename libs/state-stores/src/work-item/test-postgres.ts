import { randomUUID } from 'node:crypto'
import { temporaryFolder } from '@ballast/testing'
import pg from 'pg'
import { startEmbeddedPostgres } from '@ballast/backends/embedded-postgres'

/** For tests: one server per file, one fresh database per test. */
export interface TestPostgres extends AsyncDisposable {
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

export async function startTestPostgres(): Promise<TestPostgres> {
  const folder = await temporaryFolder()
  const server = await startEmbeddedPostgres({ dataDir: folder.path })
  const admin = await openSession(server.url)
  return {
    async database() {
      const name = `test_${randomUUID().replaceAll('-', '')}`
      await admin.run(`CREATE DATABASE ${name}`)
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
          await admin.run(`DROP DATABASE ${name} WITH (FORCE)`)
        },
      }
    },
    async [Symbol.asyncDispose]() {
      await admin[Symbol.asyncDispose]()
      await server.stop()
      await folder[Symbol.asyncDispose]()
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
