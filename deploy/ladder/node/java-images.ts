import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, realpath, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { cached } from '@ballast/backends/cache'
import { definitions } from '@ballast/backends/definitions'
import { layer, type Layer } from '../../image/oci.ts'
import { entriesOf, type Entry } from '../../image/tar.ts'
import { linkedLibraries, nodeLevel, packLayers, serverImage } from './images.ts'

const run = promisify(execFile)
const modules = ['java.se', 'jdk.unsupported', 'jdk.crypto.ec', 'jdk.zipfs'].join()
const small = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData']
const wire = fileURLToPath(new URL('../../../tools/backends/src/mongodb', import.meta.url))

/**
 * Images of what speaks for MongoDB and for S3 where no registry has the real ones (docs/backends.md), on one layer with a Java
 * made by jlink: the servers that the tests run against, in pods.
 */
export async function storeImages(folder: string): Promise<readonly string[]> {
  const java = await javaLayer()
  return [await mongoImage(folder, java), await s3Image(folder, java)]
}

async function javaLayer(): Promise<Layer> {
  const { stdout } = await run('which', ['jlink']).catch(() => {
    throw new Error(
      'this level needs a JDK, for the stand-ins of MongoDB and S3: apt-get install openjdk-17-jdk-headless',
    )
  })
  const jlink = await realpath(stdout.trim())
  const kept = await cached('java-runtime', `${jlink} ${modules}`, async (draft) => {
    const shape = ['--strip-java-debug-attributes', '--no-header-files', '--no-man-pages']
    await run(jlink, ['--add-modules', modules, ...shape, '--output', join(draft, 'jre')])
  })
  const jre = join(kept, 'jre')
  const linked = [
    'bin/java',
    'lib/server/libjvm.so',
    'lib/libjava.so',
    'lib/libnio.so',
    'lib/libnet.so',
    'lib/libzip.so',
  ]
  const libraries = await linkedLibraries(
    linked.map((path) => join(jre, path)),
    jre,
  )
  return layer([...(await entriesOf(jre, 'jre', () => true)), ...libraries])
}

/** What the tests' server of this kind is started with; undefined for a program that is no Java. */
async function classPathOf(kind: 'mongodb' | 's3', folder: string): Promise<{ jars?: string; command: string }> {
  const found = await definitions[kind].find(true)
  const work = join(folder, `${kind}-launch`)
  await mkdir(work, { recursive: true })
  const { command, args } = await found.launch({ options: {}, folder: work, port: 1 })
  const path = args[args.indexOf('-cp') + 1]
  const jars = args.includes('-cp') ? path?.split(':')[0]?.replace(/\/\*$/, '') : undefined
  return { command, ...(jars !== undefined && { jars }) }
}

async function mongoImage(folder: string, java: Layer): Promise<string> {
  const { command, jars } = await classPathOf('mongodb', folder)
  if (jars === undefined) return serverImage(folder, 'mongo', [command], ['--bind_ip_all', '--dbpath', '/data/db'])
  const work = join(folder, 'mongo')
  const sources = join(work, 'sources')
  const classes = join(work, 'classes')
  await mkdir(sources, { recursive: true })
  for (const name of ['MongoWire.java', 'StoredTypes.java']) {
    const text = await readFile(join(wire, name), 'utf8')
    // On this machine it listens for this machine only; in a pod others ask it.
    const changed = text.replace('server.bind("127.0.0.1"', 'server.bind("0.0.0.0"')
    if (name === 'MongoWire.java' && changed === text)
      throw new Error('MongoWire.java binds its port in another way now')
    await writeFile(join(sources, name), changed)
  }
  const files = ['MongoWire.java', 'StoredTypes.java'].map((name) => join(sources, name))
  await run('javac', ['-cp', join(jars, '*'), '-d', classes, ...files])
  const entries = [
    ...(await entriesOf(jars, 'app/lib', isJar)),
    ...(await entriesOf(classes, 'app/classes', () => true)),
  ]
  const main = ['-Dio.netty.eventLoopThreads=16', '-cp', '/app/lib/*:/app/classes', 'MongoWire', '27017']
  return packJava(work, 'mongo', [java, await layer(entries)], [...main, 'h2:/data/db/documents.mv'])
}

async function s3Image(folder: string, java: Layer): Promise<string> {
  const { jars } = await classPathOf('s3', folder)
  if (jars === undefined || !existsSync(jars)) throw new Error('the stand-in for S3 has no folder of jars')
  const settings = {
    's3proxy.endpoint': 'http://0.0.0.0:9000',
    's3proxy.authorization': 'aws-v2-or-v4',
    's3proxy.identity': 'local-identity',
    's3proxy.credential': 'local-credential',
    'jclouds.provider': 'filesystem-nio2',
    'jclouds.filesystem.basedir': '/data',
  }
  const text = Object.entries(settings).map(([key, value]) => `${key}=${value}\n`)
  const properties: Entry = { kind: 'file', path: 'app/s3proxy.conf', content: Buffer.from(text.join('')) }
  const entries = [...(await entriesOf(jars, 'app/lib', isJar)), properties]
  const main = ['-cp', '/app/lib/*', 'org.gaul.s3proxy.Main', '--properties', '/app/s3proxy.conf']
  return packJava(join(folder, 's3'), 's3', [java, await layer(entries)], main)
}

const isJar = (path: string): boolean => path.endsWith('.jar')

const packJava = (work: string, name: string, layers: readonly Layer[], main: readonly string[]): Promise<string> =>
  packLayers(work, nodeLevel(name), layers, { Entrypoint: ['/jre/bin/java', ...small, ...main] })
