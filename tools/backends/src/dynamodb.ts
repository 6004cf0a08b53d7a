import type { BackendDefinition } from './backend.ts'
import { javaProgram, smallJvm } from './java.ts'
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
 * becomes part of anything of ours. It listens on all interfaces; there is no flag against that.
 */
export const dynamodb: BackendDefinition = {
  kind: 'dynamodb',
  variable: 'DYNAMODB_URL',
  async find(fetch) {
    const { java, lib } = await javaProgram({ fetch, kind: 'dynamodb', pom })
    return {
      origin: 'registry',
      version,
      launch({ options: { durability = 'disk' }, folder, port }) {
        const storage = durability === 'none' ? ['-inMemory'] : ['-dbPath', folder, '-sharedDb']
        const main = 'com.amazonaws.services.dynamodbv2.local.main.ServerRunner'
        return Promise.resolve({
          command: java,
          args: [
            '-Xmx256m',
            ...smallJvm,
            `-Djava.library.path=${lib}`,
            '-cp',
            `${lib}/*`,
            main,
            ...storage,
            '-port',
            String(port),
            '-disableTelemetry',
          ],
          env: { DDB_LOCAL_TELEMETRY: '0' },
          url: `dynamodb://local:local@127.0.0.1:${port}?region=us-east-1`,
          // Any HTTP answer will do: the first one comes after the store is open.
          ready: () => untilReady(() => globalThis.fetch(`http://127.0.0.1:${port}/`)),
        })
      },
    }
  },
}
