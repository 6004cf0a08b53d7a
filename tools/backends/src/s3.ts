import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BackendDefinition } from './backend.ts'
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
    const { java, lib } = await javaProgram({ fetch, kind: 's3', pom })
    return {
      origin: 'registry',
      version: `S3Proxy ${version}`,
      async launch({ folder, port }) {
        const data = join(folder, 'data')
        await mkdir(data, { recursive: true })
        const settings = {
          's3proxy.endpoint': `http://127.0.0.1:${port}`,
          's3proxy.authorization': 'aws-v2-or-v4',
          's3proxy.identity': identity,
          's3proxy.credential': credential,
          'jclouds.provider': 'filesystem-nio2',
          'jclouds.filesystem.basedir': data,
        }
        const properties = join(folder, 's3proxy.conf')
        await writeFile(
          properties,
          Object.entries(settings)
            .map(([key, value]) => `${key}=${value}\n`)
            .join(''),
        )
        const logback = `-Dlogback.configurationFile=file://${await writeLogback(folder)}`
        return {
          command: java,
          args: [
            '-Xmx256m',
            ...smallJvm,
            logback,
            '-cp',
            `${lib}/*`,
            'org.gaul.s3proxy.Main',
            '--properties',
            properties,
          ],
          url: `s3+http://${identity}:${credential}@127.0.0.1:${port}?region=us-east-1`,
          ready: () => untilReady(() => globalThis.fetch(`http://127.0.0.1:${port}/`)),
        }
      },
    }
  },
}
