import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { startMessageStore } from '../message-store-process.ts'
import { describeWithClient, run } from './client.ts'

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

const json = (value: object): Buffer => Buffer.from(JSON.stringify(value))

/** An OCI image layout with one image `t` of one layer. */
async function makeImage(folder: string, layer: Buffer): Promise<void> {
  await mkdir(join(folder, 'blobs/sha256'), { recursive: true })
  const add = async (bytes: Buffer, mediaType: string) => {
    await writeFile(join(folder, 'blobs/sha256', sha256(bytes)), bytes)
    return { mediaType, digest: `sha256:${sha256(bytes)}`, size: bytes.length }
  }
  const rootfs = { type: 'layers', diff_ids: [`sha256:${sha256(layer)}`] }
  const config = json({ architecture: 'amd64', os: 'linux', config: {}, rootfs })
  const manifestType = 'application/vnd.oci.image.manifest.v1+json'
  const manifest = json({
    schemaVersion: 2,
    mediaType: manifestType,
    config: await add(config, 'application/vnd.oci.image.config.v1+json'),
    layers: [await add(gzipSync(layer), 'application/vnd.oci.image.layer.v1.tar+gzip')],
  })
  const annotations = { 'org.opencontainers.image.ref.name': 't' }
  const manifests = [{ ...(await add(manifest, manifestType)), annotations }]
  await writeFile(join(folder, 'index.json'), json({ schemaVersion: 2, manifests }))
  await writeFile(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
}

await describeWithClient({ packageName: 'skopeo', program: 'skopeo' }, () => {
  test('an image is pushed, copied between repositories, and pulled as it was', async () => {
    await using folder = await temporaryFolder()
    await using store = await startMessageStore(join(folder.path, 'store'))
    const pushed = join(folder.path, 'pushed')
    const pulled = join(folder.path, 'pulled')
    await makeImage(pushed, randomBytes(9_000_000))
    const registry = `docker://${new URL(store.url).host}`
    const skopeo = (...args: string[]) => run('skopeo', ['--insecure-policy', ...args], { env: { HOME: folder.path } })
    const tls = ['--src-tls-verify=false', '--dest-tls-verify=false']
    await skopeo('copy', '--dest-tls-verify=false', `oci:${pushed}:t`, `${registry}/team/app:t`)
    await skopeo('copy', ...tls, `${registry}/team/app:t`, `${registry}/other:t2`)
    await skopeo('copy', '--src-tls-verify=false', `${registry}/other:t2`, `oci:${pulled}:t`)
    const files = await readdir(join(pushed, 'blobs/sha256'))
    expect(files).toHaveLength(3)
    for (const file of files) {
      const [before, after] = await Promise.all(
        [pushed, pulled].map((each) => readFile(join(each, 'blobs/sha256', file))),
      )
      expect(before?.equals(after ?? Buffer.alloc(0))).toBe(true)
    }
    expect((await skopeo('list-tags', '--tls-verify=false', `${registry}/team/app`)).stdout).toContain('"t"')
    const metrics = await (await fetch(`${store.url}/metrics`)).text()
    // 2 blobs and 1 manifest under 2 names, with 2 tags and 2 types: no part of an upload is left.
    expect(metrics).toMatch(/^message_store_messages\{.*\} 10$/m)
    await skopeo('delete', '--tls-verify=false', `${registry}/team/app:t`)
    await expect(skopeo('inspect', '--tls-verify=false', `${registry}/team/app:t`)).rejects.toThrow('manifest unknown')
  })
})
