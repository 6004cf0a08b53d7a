import {
  bytes,
  choice,
  defineConfig,
  durationMs,
  flag,
  integer,
  list,
  rateLimitOptions,
  serviceOptions,
  taskOptions,
  text,
  type ConfigOf,
} from '@ballast/service'
import { familyNames } from './routes/families/index.ts'

export const serveConfig = defineConfig({
  app: 'message-store',
  prefix: 'MESSAGE_STORE',
  summary: 'Messages by their SHA-256: what was answered is durable, and what is read is what was written.',
  examples: [
    'message-store --store lmdb:/var/lib/message-store --quota-bytes 50GiB',
    'MESSAGE_STORE_STORE=memory: message-store --listen 127.0.0.1:0',
    'message-store --store "cassandra://cassandra-0,cassandra-1/ballast?datacenter=dc1"',
    'message-store --tls-cert cert.pem --tls-key key.pem --compat sha256py',
  ],
  options: {
    ...serviceOptions({ listen: '127.0.0.1:4002' }),
    ...rateLimitOptions(),
    bodyLimitBytes: bytes({
      default: 16 * 2 ** 20,
      min: 1,
      help: 'biggest request body that is not streamed; more is 413',
    }),
    store: text({
      default: 'lmdb:./.data/message-store',
      help: 'where the messages live: lmdb:<folder> (made if missing; several processes may share it), cassandra://host/keyspace?datacenter=<name>, s3://bucket/prefix?region=<name>, s3+http://key:secret@host:port/bucket (see README), or memory: to forget them at the end',
    }),
    tier: text({
      help: 'a local cache in front of cassandra: or s3:, as lmdb:<folder> of its own; what was read comes from there',
    }),
    tierBytes: bytes({
      default: 10 * 2 ** 30,
      min: 1,
      help: 'with --tier: what it may hold; then what was not used for longest goes',
    }),
    quotaBytes: bytes({
      help: 'bytes of everything together; beyond it writes are 507; default: the disk is the limit; not for cassandra: and s3:',
    }),
    compression: choice(['none', 'zstd'], {
      default: 'none',
      help: 'how bytes rest on disk; quotas count them as they came; either reads what the other wrote; only lmdb:',
    }),
    delete: flag({
      default: true,
      help: 'take DELETE; with --no-delete a message never goes, and caches may keep it for ever',
    }),
    evict: list({
      default: ['bazel', 'nx', 'ccache'],
      help: 'families that are caches: full, they lose what was not used for longest; all others are 507 then',
    }),
    familyQuotas: list({ help: 'bytes of a family, as in bazel=20GiB,restic=1TiB; not for cassandra: and s3:' }),
    familyTtls: list({
      help: 'when entries of a family go, as in bazel=7d: since they were written, in caches since they were used',
    }),
    scrubBytesPerSecond: bytes({
      default: 4 * 2 ** 20,
      help: 'how fast all that is stored is read again to find damage; 0: not at all; not for cassandra: and s3:',
    }),
    scrubEveryMs: durationMs({ default: 7 * 86_400_000, min: 100, help: 'how often a scrub begins' }),
    families: list({
      default: familyNames,
      help: 'kinds of clients to serve beside our own routes; none switches all of them off',
    }),
    publicUrl: text({
      help: 'how clients reach this service, for the links in answers to git-lfs; default: as the request did',
    }),
    maxBlobBytes: bytes({
      min: 65_536,
      help: 'biggest upload that is streamed; more is 413; default: no limit',
    }),
    uploadTimeoutMs: durationMs({
      default: 3_600_000,
      min: 100,
      help: 'an upload that is streamed must have arrived whole within this',
    }),
    compat: choice(['challenge', 'sha256py'], {
      default: 'challenge',
      help: 'sha256py: 404 says err_message, and GET escapes all but ASCII',
    }),
    maxQueued: integer({ default: 20_000, min: 1, help: 'writes that may wait for a commit; more get 503' }),
    maxQueuedBytes: bytes({ default: 256 * 2 ** 20, min: 1, help: 'their bytes together; more get 503' }),
  },
})

export type ServeConfig = ConfigOf<typeof serveConfig>

export const verifyConfig = defineConfig({
  app: 'message-store',
  prefix: 'MESSAGE_STORE',
  summary: 'Read every stored byte and check it; ends with 1 when something is damaged. A service may be running.',
  examples: ['message-store verify --store lmdb:/var/lib/message-store'],
  options: {
    ...taskOptions(),
    store: text({ default: 'lmdb:./.data/message-store', help: 'what to read; as for serve' }),
  },
})

export type VerifyConfig = ConfigOf<typeof verifyConfig>

const archiveOptions = {
  ...taskOptions(),
  store: text({ default: 'lmdb:./.data/message-store', help: 'as for serve' }),
  file: text({ default: 'message-store.tar', help: 'the tar archive; - is standard output, or input' }),
}

export const exportConfig = defineConfig({
  app: 'message-store',
  prefix: 'MESSAGE_STORE',
  summary:
    'Write everything into a new tar archive, verified; a service may be running. Ends with 1 if damage was left out.',
  examples: [
    'message-store export --store lmdb:/var/lib/message-store --file backup.tar',
    'message-store export --store lmdb:/var/lib/message-store --file - | ssh backup "cat > all.tar"',
    'message-store export --store lmdb:/var/lib/message-store --file rest.tar --salvage',
  ],
  options: {
    ...archiveOptions,
    salvage: flag({
      default: false,
      help: 'what can still be read of an lmdb: store that is too damaged to be opened; no service may be running',
    }),
  },
})

export type ExportConfig = ConfigOf<typeof exportConfig>

export const importConfig = defineConfig({
  app: 'message-store',
  prefix: 'MESSAGE_STORE',
  summary:
    'Store everything from an archive that export wrote, verified; what is there under the same names is replaced.',
  examples: ['message-store import --store lmdb:/var/lib/message-store --file backup.tar'],
  options: archiveOptions,
})

export type ArchiveConfig = ConfigOf<typeof importConfig>

export const benchConfig = defineConfig({
  app: 'message-store',
  prefix: 'MESSAGE_STORE',
  summary: 'POST, GET and DELETE random messages, check every answer, and say how fast that went.',
  examples: [
    'message-store bench -t 6 -c 500 -N 20',
    'message-store bench --url https://127.0.0.1:4002 --ca cert.pem --tasks 32 --count 200',
  ],
  operands: { usage: '[-t <tasks>] [-c <count>] [-N <length>]', help: 'short forms of the flags', min: 0, max: 6 },
  options: {
    ...taskOptions(),
    url: text({ default: 'http://127.0.0.1:4002', help: 'of the service' }),
    ca: text({ help: 'PEM file with the certificate of the service, or of its CA' }),
    tasks: integer({ default: 6, min: 1, help: 'clients at the same time, one connection each' }),
    count: integer({ default: 500, min: 1, help: 'messages of each client; each is a POST, a GET and a DELETE' }),
    length: integer({ default: 20, min: 8, help: 'characters of a message, out of A-Z and 0-9' }),
  },
})

export type BenchConfig = ConfigOf<typeof benchConfig>

export const certificateConfig = defineConfig({
  app: 'message-store',
  prefix: 'MESSAGE_STORE',
  summary: 'Write a self-signed certificate, for trying TLS out: cert.pem and key.pem.',
  examples: ['message-store certificate --folder .data/tls --names localhost,127.0.0.1'],
  options: {
    ...taskOptions(),
    folder: text({ default: '.', help: 'where cert.pem and key.pem go; files that are there are not overwritten' }),
    names: text({ default: 'localhost,127.0.0.1', help: 'host names and IPv4 addresses, separated by commas' }),
    days: integer({ default: 30, min: 1, max: 825, help: 'how long it is valid' }),
  },
})

export type CertificateConfig = ConfigOf<typeof certificateConfig>
