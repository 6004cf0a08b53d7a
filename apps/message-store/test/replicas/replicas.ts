import { writeFile, readFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, startProcess, waitUntil, type TestProcess } from '@ballast/testing'
import { startMessageStoreOn, type MessageStoreProcess } from '../message-store-process.ts'

const deployed = (file: string): URL => new URL(`../../../../deploy/message-store/${file}`, import.meta.url)

export interface Replicas extends AsyncDisposable {
  readonly processes: readonly MessageStoreProcess[]
  /** host:port of each */
  readonly addresses: readonly string[]
}

/** Three processes on one store. */
export async function startReplicas(store: string, ...args: string[]): Promise<Replicas> {
  const processes: MessageStoreProcess[] = []
  // The first one makes the tables or the bucket.
  for (let count = 0; count < 3; count++) processes.push(await startMessageStoreOn(store, ...args))
  return {
    processes,
    addresses: processes.map(({ url }) => new URL(url).host),
    async [Symbol.asyncDispose]() {
      for (const each of processes) await each[Symbol.asyncDispose]()
    },
  }
}

export interface Proxy extends AsyncDisposable {
  readonly url: string
}

export async function startHaproxy(configuration: string, { addresses }: Pick<Replicas, 'addresses'>): Promise<Proxy> {
  const listen = `127.0.0.1:${await freePort()}`
  const file = fileURLToPath(deployed(configuration))
  const env = Object.fromEntries(addresses.map((address, index) => [`REPLICA_${index + 1}`, address]))
  // -W -S would fork; in the foreground it is one process.
  return answering(
    listen,
    startProcess({ command: 'haproxy', args: ['-db', '-f', file], env: { ...env, LISTEN: listen } }),
  )
}

/** With nginx's own files in `folder`. */
export async function startNginx(folder: string, { addresses }: Pick<Replicas, 'addresses'>): Promise<Proxy> {
  const listen = `127.0.0.1:${await freePort()}`
  const shipped = await readFile(deployed('nginx.conf'), 'utf8')
  const ours = [listen, ...addresses]
  const own = ['4002', '4102', '4202', '4302'].reduce(
    (text, port, index) => text.replaceAll(`127.0.0.1:${port}`, ours[index] ?? ''),
    shipped,
  )
  await mkdir(join(folder, 'temp'), { recursive: true })
  await writeFile(join(folder, 'nginx.conf'), `daemon off;\n${process.getuid?.() === 0 ? 'user root;\n' : ''}${own}`)
  const args = ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr']
  // SIGKILL would leave its workers behind.
  return answering(listen, startProcess({ command: 'nginx', args }), 'SIGTERM')
}

async function answering(listen: string, started: TestProcess, end: NodeJS.Signals = 'SIGKILL'): Promise<Proxy> {
  const url = `http://${listen}`
  const ready = async (): Promise<boolean> => (await fetch(`${url}/readyz`).catch(() => undefined))?.status === 200
  let ended = false
  void started.exit.then(() => (ended = true))
  await waitUntil(async () => ended || (await ready()), { what: 'the proxy answers' })
  if (ended) throw new Error(started.stderr.join('\n'))
  return {
    url,
    async [Symbol.asyncDispose]() {
      started.kill(end)
      await started.exit
    },
  }
}

/** The replica that answered. */
export const replicaOf = ({ headers }: Response): string => headers.get('x-replica') ?? 'none'
