import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '@ballast/testing'
import type { BackendDefinition, BackendOptions, ClusterNode, Durability } from './backend.ts'
import { answersOptions } from './cassandra/ready.ts'
import { makeJavaKeystore, type JavaKeystore } from './java-keystore.ts'
import { javaProgram, smallJvm, writeLogback } from './java.ts'
import { untilReady } from './until-ready.ts'

const version = '5.0.9'

const pom = `  <dependencies>
    <dependency><groupId>org.apache.cassandra</groupId><artifactId>cassandra-all</artifactId><version>${version}</version></dependency>
  </dependencies>`

/** `periodic`, the stock setting, loses acknowledged writes even when only the process is killed. */
const commitlog: Record<Durability, string> = {
  none: 'commitlog_sync: periodic\ncommitlog_sync_period: 10000ms',
  process: 'commitlog_sync: batch',
  disk: 'commitlog_sync: batch',
}

/** Without these the node dies at once: "unable to access required classes". */
const opened = [
  ['--add-exports', ['java.base/jdk.internal.misc', 'java.base/jdk.internal.ref', 'java.base/sun.nio.ch']],
  [
    '--add-opens',
    ['java.lang', 'java.lang.reflect', 'java.io', 'java.nio', 'java.util', 'sun.nio.ch'].map(
      (name) => `java.base/${name}`,
    ),
  ],
] as const

/** A single node by default. */
const alone: Omit<ClusterNode, 'storagePort'> = {
  address: '127.0.0.1',
  seed: '127.0.0.1',
  token: '0',
  heapBytes: 2 ** 29,
}

/** A Cassandra node, data centre `datacenter1`, on loopback. */
export const cassandra: BackendDefinition = {
  kind: 'cassandra',
  variable: 'CASSANDRA_URL',
  async find(fetch) {
    const { java, lib, isToBeFetched } = await javaProgram({ fetch, kind: 'cassandra', pom })
    return {
      origin: 'registry',
      version,
      isToBeFetched,
      async launch({ options, folder, port }) {
        const node = options.node ?? { ...alone, storagePort: await freePort() }
        const yaml = join(folder, 'cassandra.yaml')
        await mkdir(join(folder, 'tmp'), { recursive: true })
        const { durability = 'disk', tls = false, password } = options
        const keystore = tls ? await makeJavaKeystore(java, folder) : undefined
        const settings = { folder, port, node, durability, password, keystore }
        await writeFile(yaml, configuration(settings), { mode: 0o600 })
        const flags = opened.flatMap(([flag, names]) => names.map((name) => `${flag}=${name}=ALL-UNNAMED`))
        const properties = {
          'jdk.attach.allowAttachSelf': 'true',
          'java.net.preferIPv4Stack': 'true',
          // Native libraries are unpacked here and left behind by a SIGKILL; it must allow execution.
          'java.io.tmpdir': join(folder, 'tmp'),
          'io.netty.tryReflectionSetAccessible': 'true',
          'cassandra.config': `file://${yaml}`,
          'cassandra.storagedir': folder,
          'cassandra.logdir': folder,
          'logback.configurationFile': `file://${await writeLogback(folder)}`,
          'cassandra-foreground': 'yes',
          'cassandra.skip_wait_for_gossip_to_settle': '0',
          'cassandra.ring_delay_ms': '0',
          'cassandra.superuser_setup_delay_ms': '0',
          // What the node measures by itself in a loop of two seconds.
          'cassandra.memtable.row_overhead_size': '180',
          'cassandra.shutdown_announce_in_ms': '0',
        }
        const system = Object.entries(properties).map(([name, value]) => `-D${name}=${value}`)
        const heap = ['-Xms64m', `-Xmx${node.heapBytes}`, '-Xss512k', '-XX:+ExitOnOutOfMemoryError']
        const main = 'org.apache.cassandra.service.CassandraDaemon'
        return {
          command: java,
          args: [...heap, ...smallJvm, ...flags, ...system, '-cp', `${lib}/*`, main],
          url: urlOf(node.address, port, options),
          ...(keystore === undefined ? {} : { ca: keystore.ca }),
          ready: () => serves(node.address, port, keystore?.ca, password),
        }
      },
    }
  },
  container: {
    takes: [],
    launch: (options, port) => ({
      environment: { BALLAST_CASSANDRA_PORT: String(port) },
      url: urlOf('127.0.0.1', port, options),
      ready: () => serves('127.0.0.1', port, undefined, undefined),
    }),
  },
}

function urlOf(host: string, port: number, { tls = false, password }: BackendOptions): string {
  const login = password === undefined ? '' : `cassandra:${password}@`
  return `cassandra://${login}${host}:${port}?datacenter=datacenter1${tls ? '&tls=true' : ''}`
}

async function serves(host: string, port: number, ca: string | undefined, password: string | undefined): Promise<void> {
  await untilReady(() => answersOptions(host, port, ca))
  if (password === undefined) return
  const { setPassword } = await import('./cassandra/set-password.ts')
  await untilReady(() => setPassword(host, port, password, ca))
}

interface Configured {
  readonly folder: string
  readonly port: number
  readonly node: ClusterNode
  readonly durability: Durability
  readonly password: string | undefined
  readonly keystore: JavaKeystore | undefined
}

/** Nodes of a cluster start together on nothing, so none has anything to fetch from another (auto_bootstrap). */
function configuration({ folder, port, node, durability, password, keystore }: Configured): string {
  const { address, seed, storagePort, token } = node
  const authenticated =
    password === undefined
      ? ''
      : 'authenticator: PasswordAuthenticator\nauthorizer: CassandraAuthorizer\ncredentials_validity: 0ms\npermissions_validity: 0ms\n'
  const encrypted =
    keystore === undefined
      ? ''
      : `client_encryption_options:
  enabled: true
  optional: false
  keystore: "${keystore.path}"
  keystore_password: ${keystore.password}
  store_type: PKCS12
  require_client_auth: false
`
  return `cluster_name: ballast
num_tokens: 1
initial_token: "${token}"
auto_bootstrap: false
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
endpoint_snitch: SimpleSnitch
seed_provider:
  - class_name: org.apache.cassandra.locator.SimpleSeedProvider
    parameters:
      - seeds: "${seed}:${storagePort}"
listen_address: ${address}
rpc_address: ${address}
storage_port: ${storagePort}
start_native_transport: true
native_transport_port: ${port}
data_file_directories: ["${folder}/data"]
commitlog_directory: "${folder}/commitlog"
saved_caches_directory: "${folder}/saved_caches"
hints_directory: "${folder}/hints"
cdc_raw_directory: "${folder}/cdc_raw"
${commitlog[durability]}
auto_snapshot: false
hinted_handoff_enabled: true
${authenticated}${encrypted}`
}
