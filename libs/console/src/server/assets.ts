import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'

export interface Asset {
  readonly contentType: string
  readonly etag: string
  readonly plain: Buffer
  readonly gzip: Buffer
  readonly br: Buffer
}

const types = {
  'console.js': 'text/javascript; charset=utf-8',
  'console.css': 'text/css; charset=utf-8',
} as const
export type AssetName = keyof typeof types
export const assetNames: readonly AssetName[] = ['console.js', 'console.css']
export type Assets = Readonly<Record<AssetName, Asset>>

let loading: Promise<Assets> | undefined

/**
 * Script and style of the page, once per process. A shipped app has them in console/ beside its bundle
 * (tools/build.ts); from source they are bundled in memory, so that there is no step to forget and nothing to be stale.
 */
export function loadAssets(): Promise<Assets> {
  loading ??= load()
  loading.catch(() => (loading = undefined))
  return loading
}

async function load(): Promise<Assets> {
  const [script, style] = await Promise.all(assetNames.map((name) => shipped(name)))
  if (script !== undefined && style !== undefined) return both(script, style)
  // Not a literal: a bundler would follow it, and ship itself.
  const bundler = new URL('./bundle.ts', import.meta.url).href
  const { bundle }: typeof import('./bundle.ts') = await import(bundler)
  const files = await bundle()
  const bytesOf = (name: AssetName): Buffer => {
    const file = files.find((each) => each.name === name)
    if (file === undefined) throw new Error(`the bundle has no ${name}`)
    return Buffer.from(file.bytes)
  }
  return both(bytesOf('console.js'), bytesOf('console.css'))
}

const shipped = (name: AssetName): Promise<Buffer | undefined> =>
  readFile(new URL(`./console/${name}`, import.meta.url)).catch(() => undefined)

async function both(script: Buffer, style: Buffer): Promise<Assets> {
  return { 'console.js': await asset('console.js', script), 'console.css': await asset('console.css', style) }
}

async function asset(name: AssetName, plain: Buffer): Promise<Asset> {
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }
  const [gzipped, br] = await Promise.all([promisify(gzip)(plain), promisify(brotliCompress)(plain, quality)])
  const digest = createHash('sha256').update(plain).digest('base64url').slice(0, 22)
  return { contentType: types[name], etag: `"${digest}"`, plain, gzip: gzipped, br }
}
