import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { postgresBinaries } from '@ballast/backends/postgres-binaries'
import { layer, writeLayout, type Layer, type ProcessConfig } from '../../image/oci.ts'
import { entriesOf, type Entry } from '../../image/tar.ts'

const run = promisify(execFile)

const pauseSource = `package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGCHLD)
	for received := range signals {
		if received != syscall.SIGCHLD {
			os.Exit(0)
		}
		for {
			var status syscall.WaitStatus
			if pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil); pid <= 0 || err != nil {
				break
			}
		}
	}
}
`

/** The process that holds a pod's namespaces, as a tar that containerd imports. */
export async function pauseImage(folder: string): Promise<string> {
  const work = join(folder, 'pause')
  await mkdir(work, { recursive: true })
  await writeFile(join(work, 'main.go'), pauseSource)
  const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '', GO111MODULE: 'off' }
  await run('go', ['build', '-ldflags', '-s -w', '-o', join(work, 'pause'), 'main.go'], { cwd: work, env })
  const content = await readFile(join(work, 'pause'))
  const entries: Entry[] = [{ kind: 'file', path: 'pause', content, isExecutable: true }]
  return pack(work, 'localhost/pause:1', entries, { User: '65535:65535', Entrypoint: ['/pause'] })
}

/** What programs and libraries are linked to, except for what lies below `own`. */
export async function linkedLibraries(files: readonly string[], own = '/nowhere'): Promise<Entry[]> {
  const lists = await Promise.all(files.map((file) => run('ldd', [file])))
  const paths = lists.flatMap(({ stdout }) => [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, path = '']) => path))
  return Promise.all([...new Set(paths)].filter((path) => !path.startsWith(`${own}/`)).map((path) => asEntry(path)))
}

const asEntry = async (path: string): Promise<Entry> => ({
  kind: 'file',
  path: path.slice(1),
  content: await readFile(path),
  isExecutable: true,
})

/** A server that is installed here, with the libraries that it is linked to; the first of the programs is what the image starts. */
export async function serverImage(
  folder: string,
  name: string,
  programs: readonly string[],
  args: readonly string[] = [],
): Promise<string> {
  const [program = ''] = programs
  const entries = [...(await Promise.all(programs.map(asEntry))), ...(await linkedLibraries(programs))]
  return pack(join(folder, name), nodeLevel(name), entries, { Entrypoint: [program, ...args] })
}

/** How the overlay small-node calls the images of servers. */
export const nodeLevel = (name: string): string => `localhost/ballast/${name}:node-level`

/** PostgreSQL as npm ships it, and Debian's psql. It finds its libraries beside itself; a cluster is made outside. */
export async function postgresImage(folder: string): Promise<string> {
  const native = dirname(dirname(postgresBinaries().postgres))
  const psql = await findPsql()
  const libraries = [
    ...(await linkedLibraries([join(native, 'bin/postgres')], native)),
    ...(await linkedLibraries([psql])),
  ]
  const users: Entry = { kind: 'file', path: 'etc/passwd', content: Buffer.from('postgres:x:999:999::/:/nologin\n') }
  const own = await entriesOf(native, 'opt/postgres', () => true)
  const client: Entry = { ...(await asEntry(psql)), path: 'usr/bin/psql' }
  const command = ['/opt/postgres/bin/postgres', '-D', '/var/lib/postgresql/cluster', '-c', 'listen_addresses=*']
  const settings = ['-c', 'unix_socket_directories=/var/run/postgresql', '-c', 'log_timezone=UTC']
  return pack(join(folder, 'postgres'), nodeLevel('postgres'), [...own, ...libraries, client, users], {
    Entrypoint: [...command, ...settings],
  })
}

/** /usr/bin/psql is a script of Debian's, which chooses one of these. */
async function findPsql(): Promise<string> {
  const versions = await readdir('/usr/lib/postgresql').catch(() => [])
  const found = versions.map((version) => `/usr/lib/postgresql/${version}/bin/psql`).filter((path) => existsSync(path))
  const psql = found.toSorted().at(-1)
  if (psql === undefined)
    throw new Error('this level needs psql to put it into an image: apt-get install postgresql-client')
  return psql
}

async function pack(
  work: string,
  reference: string,
  entries: readonly Entry[],
  config: ProcessConfig,
): Promise<string> {
  return packLayers(work, reference, [await layer(entries)], config)
}

/** Writes an image as a tar that containerd imports. */
export async function packLayers(
  work: string,
  reference: string,
  layers: readonly Layer[],
  config: ProcessConfig,
): Promise<string> {
  const layout = join(work, 'image')
  await mkdir(work, { recursive: true })
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch
  await writeLayout(layout, reference, { architecture, config, layers })
  await run('tar', ['-cf', `${layout}.tar`, '-C', layout, '.'])
  return `${layout}.tar`
}
