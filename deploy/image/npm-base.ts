import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile, realpath } from 'node:fs/promises'
import { layer, writeLayout, type Image } from './oci.ts'
import type { Entry } from './tar.ts'

/** Where what is not in the npm package comes from: this machine's C library, certificates and UTC. */
const libraries = [
  'libc.so.6',
  'libm.so.6',
  'libdl.so.2',
  'libpthread.so.0',
  'librt.so.1',
  'libgcc_s.so.1',
  'libstdc++.so.6',
  'libresolv.so.2',
  'libnss_dns.so.2',
  'libnss_files.so.2',
]
const loaders: Readonly<Record<string, string>> = {
  x64: '/lib64/ld-linux-x86-64.so.2',
  arm64: '/lib/ld-linux-aarch64.so.1',
}
const triplets: Readonly<Record<string, string>> = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }

async function file(path: string, source: string, isExecutable = false): Promise<Entry> {
  return { kind: 'file', path, content: await readFile(source), isExecutable }
}

function text(path: string, ...lines: string[]): Entry {
  return { kind: 'file', path, content: Buffer.from(`${lines.join('\n')}\n`) }
}

/**
 * A base image for machines that reach no image registry: the Node that runs this script (the workspace has it from the
 * npm package `node`), the C library beside it, certificates, and users; no shell and no package manager.
 */
export async function npmBase(folder: string): Promise<Image> {
  const triplet = triplets[process.arch]
  const loader = loaders[process.arch]
  if (process.platform !== 'linux' || triplet === undefined || loader === undefined || !existsSync(loader)) {
    throw new Error('a base image can be made from this machine only on Linux with glibc: name one in BASE_IMAGE')
  }
  const found = libraries.flatMap((name) => {
    const source = [`/lib/${triplet}/${name}`, `/usr/lib/${triplet}/${name}`].find((path) => existsSync(path))
    return source === undefined ? [] : [file(`lib/${triplet}/${name}`, source, true)]
  })
  const entries = [
    await file('usr/local/bin/node', await realpath(process.execPath), true),
    await file(loader.slice(1), loader, true),
    ...(await Promise.all(found)),
    await file('etc/ssl/certs/ca-certificates.crt', '/etc/ssl/certs/ca-certificates.crt'),
    await file('usr/share/zoneinfo/Etc/UTC', '/usr/share/zoneinfo/Etc/UTC'),
    text('etc/passwd', 'root:x:0:0:root:/root:/nologin', 'nonroot:x:10001:10001:nonroot:/data:/nologin'),
    text('etc/group', 'root:x:0:', 'nonroot:x:10001:'),
    text('etc/nsswitch.conf', 'hosts: files dns'),
    { kind: 'folder', path: 'tmp', mode: 0o1777 } as const,
    ...['proc', 'sys', 'dev', 'run'].map((path) => ({ kind: 'folder', path }) as const),
  ]
  const image: Image = {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    config: { Env: ['PATH=/usr/local/bin', 'NODE_ENV=production'], Entrypoint: ['/usr/local/bin/node'] },
    layers: [await layer(entries)],
  }
  await writeLayout(folder, `localhost/node:${process.versions.node}`, image)
  return image
}

/** What decides the content of the base: its name in the cache. */
export function npmBaseRecipe(): string {
  const libc = execFileSync('getconf', ['GNU_LIBC_VERSION'], { encoding: 'utf8' }).trim()
  return `node ${process.versions.node} ${process.arch} ${libc} 3`
}
