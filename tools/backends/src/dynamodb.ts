import type { BackendDefinition, BackendOptions } from './backend.ts'
import { freePort } from '@ballast/testing'
import { javaProgram, smallJvm } from './java.ts'
import { startTlsFront } from './tls-front.ts'
import { untilReady } from './until-ready.ts'

const version = '2.6.1'

const excluded = [
  ['com.amazonaws', 'aws-java-sdk-s3'],
  ['com.amazonaws', 'aws-java-sdk-kms'],
  ['org.mockito', '*'],
  ['com.almworks.sqlite4java', 'sqlite4java-win32-x64'],
  ['com.almworks.sqlite4java', 'sqlite4java-win32-x86'],
  ['com.almworks.sqlite4java', 'libsqlite4java-linux-i386'],
]

const pom = `  <dependencies>
    <dependency><groupId>com.amazonaws</groupId><artifactId>DynamoDBLocal</artifactId><version>${version}</version>
      <exclusions>
${excluded.map(([group, artifact]) => `        <exclusion><groupId>${group}</groupId><artifactId>${artifact}</artifactId></exclusion>`).join('\n')}
      </exclusions>
    </dependency>
  </dependencies>`

/**
 * DynamoDB Local, on disk. Its licence (Amazon's own) forbids redistribution: it is fetched where it runs and never
 * becomes part of anything of ours. It listens on all interfaces (there is no flag against that), takes any keys, and
 * speaks no TLS: with `tls` a front of ours does, and the server behind it is the same.
 */
export const dynamodb: BackendDefinition = {
  kind: 'dynamodb',
  variable: 'DYNAMODB_URL',
  async find(fetch) {
    const { java, lib, isToBeFetched } = await javaProgram({ fetch, kind: 'dynamodb', pom })
    return {
      origin: 'registry',
      version,
      isToBeFetched,
      async launch({ options, folder, port }) {
        const { durability = 'disk', tls = false } = options
        refusePassword(options)
        const storage = durability === 'none' ? ['-inMemory'] : ['-dbPath', folder, '-sharedDb']
        const main = 'com.amazonaws.services.dynamodbv2.local.main.ServerRunner'
        const plainPort = tls ? await freePort() : port
        const ca = tls ? await startTlsFront(port, plainPort) : undefined
        const library = [`-Djava.library.path=${lib}`, '-cp', `${lib}/*`]
        const flags = [...storage, '-port', String(plainPort), '-disableTelemetry']
        return {
          command: java,
          args: ['-Xmx256m', ...smallJvm, ...library, main, ...flags],
          env: { DDB_LOCAL_TELEMETRY: '0' },
          url: urlOf(port, options),
          ...(ca === undefined ? {} : { ca }),
          ready: () => answers(plainPort),
        }
      },
    }
  },
  container: {
    takes: [],
    launch: (options, port) => ({
      environment: {
        BALLAST_DYNAMODB_PORT: String(port),
        BALLAST_DYNAMODB_STORAGE: options.durability === 'none' ? '-inMemory' : '-sharedDb -dbPath .',
      },
      url: urlOf(port, options),
      ready: () => answers(port),
    }),
  },
}

const urlOf = (port: number, { tls = false }: BackendOptions): string =>
  `dynamodb://local:local@127.0.0.1:${port}?region=us-east-1${tls ? '&tls=true' : ''}`

/** Any HTTP answer will do: the first one comes after the store is open. */
const answers = (port: number): Promise<void> => untilReady(() => globalThis.fetch(`http://127.0.0.1:${port}/`))

function refusePassword({ password }: BackendOptions): void {
  if (password !== undefined) throw new Error('dynamodb: DynamoDB Local takes any keys, so none can be the wrong ones')
}
