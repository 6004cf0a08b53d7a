import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BackendDefinition } from './backend.ts'
import { javaProgram, smallJvm } from './java.ts'
import { run } from './run.ts'
import { untilReady } from './until-ready.ts'

const version = '1.47.0'
const launcher = fileURLToPath(new URL('mongodb/MongoWire.java', import.meta.url))

const artifact = (name: string): string =>
  `<dependency><groupId>de.bwaldvogel</groupId><artifactId>${name}</artifactId><version>${version}</version></dependency>`

const pom = `  <dependencies>
    ${artifact('mongo-java-server')}
    ${artifact('mongo-java-server-h2-backend')}
  </dependencies>`

/**
 * MongoDB's wire protocol, spoken by mongo-java-server: no registry has a real mongod. With `disk` a write that asks for
 * the journal or a majority is synced before it is answered. What only a real one shows: replica sets, retryable
 * writes, transactions, index choice, its own durability; set MONGO_URI to run the same suites on one.
 */
export const mongodb: BackendDefinition = {
  kind: 'mongodb',
  variable: 'MONGO_URI',
  async find(fetch) {
    const make = async (folder: string): Promise<void> => {
      await run('javac', ['-cp', join(folder, 'lib', '*'), '-d', join(folder, 'classes'), launcher])
    }
    const extra = { recipe: readFileSync(launcher, 'utf8'), program: 'javac', make }
    const program = await javaProgram({ kind: 'mongodb', fetch, pom, extra })
    return {
      origin: 'registry',
      version: `mongo-java-server ${version}`,
      launch({ options: { durability = 'disk' }, folder, port }) {
        const storage = durability === 'none' ? 'memory' : `h2:${join(folder, 'data.mv')}`
        // With fewer threads slow commands block each other's connections.
        const threads = '-Dio.netty.eventLoopThreads=64'
        const classPath = [join(program.lib, '*'), join(program.folder, 'classes')].join(':')
        return Promise.resolve({
          command: program.java,
          args: ['-Xmx512m', ...smallJvm, threads, '-cp', classPath, 'MongoWire', String(port), storage],
          url: `mongodb://127.0.0.1:${port}/?directConnection=true`,
          ready: () => untilReady(() => accepts(port)),
        })
      },
    }
  },
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
