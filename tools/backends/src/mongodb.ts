import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BackendDefinition, BackendOptions, Found } from './backend.ts'
import { makeCertificate } from './certificate.ts'
import { makeJavaKeystore } from './java-keystore.ts'
import { javaProgram, smallJvm } from './java.ts'
import { findProgram, run } from './run.ts'
import { untilReady } from './until-ready.ts'

const version = '1.47.0'
const sources = ['MongoWire', 'StoredTypes'].map((name) =>
  fileURLToPath(new URL(`mongodb/${name}.java`, import.meta.url)),
)

const artifact = (name: string): string =>
  `<dependency><groupId>de.bwaldvogel</groupId><artifactId>${name}</artifactId><version>${version}</version></dependency>`

const pom = `  <dependencies>
    ${artifact('mongo-java-server')}
    ${artifact('mongo-java-server-h2-backend')}
  </dependencies>`

/**
 * A mongod where there is one on PATH; otherwise MongoDB's wire protocol, spoken by mongo-java-server, as no registry has
 * a mongod. There a write that asks for the journal or a majority is synced before it is answered. What only a mongod
 * shows: replica sets, retryable writes, transactions, index choice, its own durability.
 */
export const mongodb: BackendDefinition = {
  kind: 'mongodb',
  variable: 'MONGO_URI',
  async find(fetch) {
    const mongod = findProgram('mongod')
    return mongod === undefined ? findStandIn(fetch) : findMongod(mongod)
  },
  container: {
    takes: [],
    launch: (options, port) => ({
      environment: { BALLAST_MONGODB_PORT: String(port) },
      url: urlOf(port, options),
      ready: () => untilReady(() => accepts(port)),
    }),
  },
}

async function findMongod(mongod: string): Promise<Found> {
  const version = /v(\d\S+)/.exec(await run(mongod, ['--version']))?.[1] ?? 'unknown'
  return {
    origin: 'path',
    version,
    async launch({ options, folder, port }) {
      refusePassword(options)
      const data = join(folder, 'data')
      await mkdir(data, { recursive: true })
      const args = ['--dbpath', data, '--bind_ip', '127.0.0.1', '--port', String(port), '--quiet']
      let ca: string | undefined
      if (options.tls === true) {
        const { certificate, key } = await makeCertificate()
        const file = join(folder, 'server.pem')
        await writeFile(file, `${certificate}\n${key}`, { mode: 0o600 })
        args.push('--tlsMode', 'requireTLS', '--tlsCertificateKeyFile', file)
        ca = certificate
      }
      const ready = () => untilReady(() => accepts(port))
      return { command: mongod, args, url: urlOf(port, options), ...(ca === undefined ? {} : { ca }), ready }
    },
  }
}

async function findStandIn(fetch: boolean): Promise<Found> {
  const make = async (folder: string): Promise<void> => {
    await run('javac', ['-cp', join(folder, 'lib', '*'), '-d', join(folder, 'classes'), ...sources])
  }
  const extra = { recipe: sources.map((source) => readFileSync(source, 'utf8')).join(''), program: 'javac', make }
  const program = await javaProgram({ kind: 'mongodb', fetch, pom, extra })
  return {
    origin: 'registry',
    version: `mongo-java-server ${version}`,
    isToBeFetched: program.isToBeFetched,
    async launch({ options, folder, port }) {
      const { durability = 'disk', tls = false } = options
      refusePassword(options)
      const storage = durability === 'none' ? 'memory' : `h2:${join(folder, 'documents.mv')}`
      const keystore = tls ? await makeJavaKeystore(program.java, folder) : undefined
      const encrypted = keystore === undefined ? [] : [keystore.path, keystore.password]
      // With fewer threads slow commands block each other's connections.
      const threads = '-Dio.netty.eventLoopThreads=64'
      const classPath = [join(program.lib, '*'), join(program.folder, 'classes')].join(':')
      const main = ['MongoWire', String(port), storage, ...encrypted]
      return {
        command: program.java,
        args: ['-Xmx512m', ...smallJvm, threads, '-cp', classPath, ...main],
        url: urlOf(port, options),
        ...(keystore === undefined ? {} : { ca: keystore.ca }),
        ready: () => untilReady(() => accepts(port)),
      }
    },
  }
}

const urlOf = (port: number, { tls = false }: BackendOptions): string =>
  `mongodb://127.0.0.1:${port}/?directConnection=true${tls ? '&tls=true' : ''}`

function refusePassword({ password }: BackendOptions): void {
  if (password !== undefined)
    throw new Error('mongodb: the servers of tests let everybody in; set MONGO_URI to one that does not')
}

/** The server binds its port only when its storage is open. */
function accepts(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve()
    })
    socket.once('error', reject)
  })
}
