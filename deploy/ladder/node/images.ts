import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { postgresBinaries } from '@ballast/backends/postgres-binaries'
import { layer, writeLayout, type ProcessConfig } from '../../image/oci.ts'
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

/** A server that is installed here, with the libraries that it is linked to. */
export async function serverImage(folder: string, name: string, program: string): Promise<string> {
  const { stdout } = await run('ldd', [program])
  const libraries = [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, path = '']) => path)
  const entries = [program, ...libraries].map(async (path): Promise<Entry> => ({
    kind: 'file',
    path: path.slice(1),
    content: await readFile(path),
    isExecutable: true,
  }))
  const work = join(folder, name)
  return pack(work, `localhost/ballast/${name}:node-level`, await Promise.all(entries), { Entrypoint: [program] })
}

/** PostgreSQL as npm ships it. It finds its libraries beside itself; a cluster is made outside. */
export async function postgresImage(folder: string): Promise<string> {
  const native = dirname(dirname(postgresBinaries().postgres))
  const { stdout } = await run('ldd', [join(native, 'bin/postgres')])
  const system = [...stdout.matchAll(/(\/\S+) \(0x/g)]
    .map(([, path = '']) => path)
    .filter((path) => !path.startsWith(native))
  const libraries = system.map(async (path): Promise<Entry> => ({
    kind: 'file',
    path: path.slice(1),
    content: await readFile(path),
    isExecutable: true,
  }))
  const users: Entry = { kind: 'file', path: 'etc/passwd', content: Buffer.from('postgres:x:999:999::/:/nologin\n') }
  const own = await entriesOf(native, 'opt/postgres', () => true)
  const command = ['/opt/postgres/bin/postgres', '-D', '/var/lib/postgresql/cluster', '-c', 'listen_addresses=*']
  const settings = ['-c', 'unix_socket_directories=', '-c', 'log_timezone=UTC']
  const entries = [...own, ...(await Promise.all(libraries)), users]
  return pack(join(folder, 'postgres'), 'localhost/ballast/postgres:node-level', entries, {
    Entrypoint: [...command, ...settings],
  })
}

async function pack(
  work: string,
  reference: string,
  entries: readonly Entry[],
  config: ProcessConfig,
): Promise<string> {
  const layout = join(work, 'image')
  await mkdir(work, { recursive: true })
  await writeLayout(layout, reference, {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    config,
    layers: [await layer(entries)],
  })
  await run('tar', ['-cf', `${layout}.tar`, '-C', layout, '.'])
  return `${layout}.tar`
}
