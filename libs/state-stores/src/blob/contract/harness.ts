import { expect, onTestFinished } from 'vitest'
import type { BlobLack, BlobOptions, BlobStore, BlobUsage, Digest, EntryName, OpenBlob } from '../port.ts'

export interface BlobHarness {
  readonly store: BlobStore
  /** Flips one bit at rest, behind the store's back. */
  readonly damage: (digest: Digest, at: number) => Promise<void>
  /** What is stored, opened once more, as another process does it. Not for stores that are not `shared`. */
  readonly another?: () => Promise<BlobStore>
}

export type OpenHarness = (options: BlobOptions) => Promise<BlobHarness>
export type Lacks = ReadonlySet<BlobLack>
export type Start = (options?: BlobOptions) => Promise<BlobHarness>

export function starter(open: OpenHarness): Start {
  return async (options = {}) => {
    const harness = await open(options)
    onTestFinished(() => harness.store.close())
    return harness
  }
}

export const name = (key: string, namespace = 'test'): EntryName => ({ namespace, key })

/** Bytes that are different for each seed, in every place. */
export function bytesOf(seed: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let index = 0, state = seed + 1; index < length; index++) {
    state = (state * 1_103_515_245 + 12_345) & 0x7fff_ffff
    bytes[index] = state >> 16
  }
  return bytes
}

export async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size)
}

export async function readAll(blob: OpenBlob | undefined): Promise<Buffer | undefined> {
  if (blob === undefined) return undefined
  await using open = blob
  const all: Buffer[] = []
  for await (const piece of open.body()) all.push(piece)
  return Buffer.concat(all)
}

/** What the store counts; one that lacks `usage` must say so instead of guessing. */
export function expectUsage(store: BlobStore, expected: Partial<BlobUsage>): void {
  if ('usage' in store.capabilities.lacks) expect(store.usage()).toBeUndefined()
  else expect(store.usage()).toMatchObject(expected)
}
