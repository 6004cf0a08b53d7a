import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { tar, type Entry } from './tar.ts'

/** OCI image specification 1.1: a descriptor, a manifest and the part of a configuration that is used here. */
export interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
}

export interface Layer extends Descriptor {
  /** Digest of the tar before compression. */
  readonly diffId: string
  readonly bytes: Uint8Array
  /** Bytes before compression: what it takes on a node's disk. */
  readonly unpackedBytes: number
}

export interface ProcessConfig {
  readonly User?: string
  readonly Env?: readonly string[]
  readonly Entrypoint?: readonly string[]
  readonly Cmd?: readonly string[]
  readonly WorkingDir?: string
  readonly StopSignal?: string
  readonly ExposedPorts?: Readonly<Record<string, object>>
  readonly Volumes?: Readonly<Record<string, object>>
  readonly Labels?: Readonly<Record<string, string>>
  /** Docker's addition; podman and docker run it, Kubernetes does not. Times in nanoseconds. */
  readonly Healthcheck?: Readonly<{
    Test: readonly string[]
    Interval: number
    Timeout: number
    StartPeriod: number
    Retries: number
  }>
}

export interface Image {
  readonly architecture: string
  readonly config: ProcessConfig
  readonly layers: readonly Layer[]
}

const types = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
}

const epoch = '1970-01-01T00:00:00Z'

const digestOf = (bytes: Uint8Array | string): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

export async function layer(entries: readonly Entry[]): Promise<Layer> {
  const plain = tar(entries)
  const bytes = await promisify(gzip)(plain, { level: 6 })
  return {
    mediaType: types.layer,
    digest: digestOf(bytes),
    size: bytes.length,
    diffId: digestOf(plain),
    bytes,
    unpackedBytes: plain.length,
  }
}

/**
 * Writes the image as an OCI layout (skopeo, podman, buildah, crane and containerd read it) that is at the same time what
 * `docker load` takes, once packed into one tar. Replaces the folder. Returns the image id: the digest of the configuration.
 */
export async function writeLayout(folder: string, reference: string, image: Image): Promise<string> {
  const draft = `${folder}.draft`
  await rm(draft, { recursive: true, force: true })
  await mkdir(join(draft, 'blobs/sha256'), { recursive: true })
  const put = async (mediaType: string, bytes: Uint8Array | string): Promise<Descriptor> => {
    const digest = digestOf(bytes)
    await writeFile(join(draft, pathOf(digest)), bytes)
    return { mediaType, digest, size: Buffer.byteLength(bytes) }
  }
  for (const { mediaType, bytes } of image.layers) await put(mediaType, bytes)
  const config = await put(
    types.config,
    JSON.stringify({
      architecture: image.architecture,
      os: 'linux',
      created: epoch,
      config: image.config,
      // Engines that build upon it count one entry for each layer.
      history: image.layers.map(() => ({ created: epoch, created_by: 'ballast' })),
      rootfs: { type: 'layers', diff_ids: image.layers.map(({ diffId }) => diffId) },
    }),
  )
  const layers = image.layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size }))
  const manifest = await put(
    types.manifest,
    JSON.stringify({ schemaVersion: 2, mediaType: types.manifest, config, layers }),
  )
  const annotations = { 'io.containerd.image.name': reference, 'org.opencontainers.image.ref.name': reference }
  const files = {
    'oci-layout': { imageLayoutVersion: '1.0.0' },
    'index.json': { schemaVersion: 2, mediaType: types.index, manifests: [{ ...manifest, annotations }] },
    'manifest.json': [
      { Config: pathOf(config.digest), RepoTags: [reference], Layers: layers.map(({ digest }) => pathOf(digest)) },
    ],
  }
  for (const [name, content] of Object.entries(files)) await writeFile(join(draft, name), JSON.stringify(content))
  await rm(folder, { recursive: true, force: true })
  await rename(draft, folder)
  return config.digest
}

const pathOf = (digest: string): string => `blobs/${digest.replace(':', '/')}`

interface ConfigFile {
  readonly architecture: string
  readonly config: ProcessConfig
  readonly rootfs: { readonly diff_ids: readonly string[] }
}

/** An image out of an OCI layout, to build upon. */
export async function readLayout(folder: string): Promise<Image> {
  const blob = (digest: string): Promise<Buffer> => readFile(join(folder, pathOf(digest)))
  const index: { manifests: Descriptor[] } = JSON.parse(await readFile(join(folder, 'index.json'), 'utf8'))
  const [first] = index.manifests
  if (first === undefined) throw new Error(`${folder} holds no image`)
  const manifest: { config: Descriptor; layers: Descriptor[] } = JSON.parse((await blob(first.digest)).toString())
  const { architecture, config, rootfs }: ConfigFile = JSON.parse((await blob(manifest.config.digest)).toString())
  const layers = await Promise.all(
    manifest.layers.map(async (descriptor, at) => {
      const bytes = await blob(descriptor.digest)
      if (digestOf(bytes) !== descriptor.digest) throw new Error(`${folder}: ${descriptor.digest} is damaged`)
      return { ...descriptor, bytes, diffId: rootfs.diff_ids[at] ?? '', unpackedBytes: 0 }
    }),
  )
  return { architecture, config, layers }
}
