import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import http from 'node:http'
import https from 'node:https'
import { join } from 'node:path'
import type { BackendDefinition, BackendOptions } from './backend.ts'
import { makeJavaKeystore } from './java-keystore.ts'
import { javaProgram, smallJvm, writeLogback } from './java.ts'
import { untilReady } from './until-ready.ts'

const version = '4.1.0'
const unused = [
  'com.azure',
  'com.google.cloud',
  'org.apache.sshd',
  'com.github.openstack4j.core',
  'com.github.openstack4j.core.connectors',
]

// Without the pinned bom a stray jackson-annotations wins and the server dies at start.
const pom = `  <dependencyManagement><dependencies>
    <dependency><groupId>tools.jackson</groupId><artifactId>jackson-bom</artifactId><version>3.2.2</version><type>pom</type><scope>import</scope></dependency>
  </dependencies></dependencyManagement>
  <dependencies>
    <dependency><groupId>org.gaul</groupId><artifactId>s3proxy</artifactId><version>${version}</version>
      <exclusions>
${unused.map((group) => `        <exclusion><groupId>${group}</groupId><artifactId>*</artifactId></exclusion>`).join('\n')}
      </exclusions>
    </dependency>
  </dependencies>`

const identity = 'local-identity'
const credential = 'local-credential'

/**
 * S3Proxy over a folder: conditional puts (`If-None-Match: *`) are atomic, checksums are checked. It does not fsync, and
 * its `If-Match` is a check before the write, so it proves neither power loss nor compare-and-swap.
 */
export const s3: BackendDefinition = {
  kind: 's3',
  variable: 'S3_URL',
  async find(fetch) {
    const { java, lib, isToBeFetched } = await javaProgram({ fetch, kind: 's3', pom })
    return {
      origin: 'registry',
      version: `S3Proxy ${version}`,
      isToBeFetched,
      async launch({ options, folder, port }) {
        const { tls = false, password = credential } = options
        const data = join(folder, 'data')
        await mkdir(data, { recursive: true })
        const keystore = tls ? await makeJavaKeystore(java, folder) : undefined
        const endpoint =
          keystore === undefined
            ? { 's3proxy.endpoint': `http://127.0.0.1:${port}` }
            : {
                's3proxy.secure-endpoint': `https://127.0.0.1:${port}`,
                's3proxy.keystore-path': keystore.path,
                's3proxy.keystore-password': keystore.password,
              }
        const settings = {
          ...endpoint,
          's3proxy.authorization': 'aws-v2-or-v4',
          's3proxy.identity': identity,
          's3proxy.credential': password,
          'jclouds.provider': 'filesystem-nio2',
          'jclouds.filesystem.basedir': data,
        }
        const properties = join(folder, 's3proxy.conf')
        const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}\n`)
        await writeFile(properties, lines.join(''), { mode: 0o600 })
        const logback = `-Dlogback.configurationFile=file://${await writeLogback(folder)}`
        const main = ['org.gaul.s3proxy.Main', '--properties', properties]
        return {
          command: java,
          args: ['-Xmx256m', ...smallJvm, logback, '-cp', `${lib}/*`, ...main],
          url: urlOf(port, options),
          ...(keystore === undefined ? {} : { ca: keystore.ca }),
          ready: () => answers(port, keystore?.ca),
        }
      },
    }
  },
  container: {
    takes: ['password'],
    launch: (options, port) => ({
      environment: { BALLAST_S3_PORT: String(port), BALLAST_S3_SECRET: options.password ?? credential },
      url: urlOf(port, options),
      ready: () => answers(port, undefined),
    }),
  },
}

const urlOf = (port: number, { tls = false, password = credential }: BackendOptions): string =>
  `s3+http${tls ? 's' : ''}://${identity}:${password}@127.0.0.1:${port}?region=us-east-1`

/** Any HTTP answer will do: the server listens when its storage is open. */
const answers = (port: number, ca: string | undefined): Promise<void> =>
  untilReady(async () => {
    const asked =
      ca === undefined
        ? http.get({ host: '127.0.0.1', port, timeout: 2_000 })
        : https.get({ host: '127.0.0.1', port, timeout: 2_000, ca, agent: false })
    asked.once('timeout', () => asked.destroy(new Error('no answer')))
    const [answer] = await once(asked, 'response')
    answer.resume()
  })
