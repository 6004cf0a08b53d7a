import { open, type FileHandle } from 'node:fs/promises'
import { headerBytes, kinds, type Meta, nodeFlags, noPage, parseMeta } from './lmdb-data-file.ts'

export interface Row {
  readonly key: Buffer
  readonly value: Buffer
}

/** What a leaf or a branch holds; a leaf's has a value, a branch's a page. */
interface Node {
  readonly key: Buffer
  readonly page: number
  readonly value: () => Promise<Buffer | undefined>
}

/**
 * Reads what is left of an LMDB data file that LMDB would not survive: every row of its newest transaction whose pages are
 * there. Where some are not, the transaction before it is asked as well, whose pages are not used again yet; so a row
 * that the last transaction has removed may come back. Nothing is written. Rows have no check sum here either.
 */
export class LmdbRemains implements AsyncDisposable {
  readonly #file: FileHandle
  readonly #metas: readonly Meta[]
  readonly #met = new Set<number>()
  /** Pages that should be there and are not, or are no pages. */
  lostPages = 0

  private constructor(file: FileHandle, metas: readonly Meta[]) {
    this.#file = file
    this.#metas = metas
  }

  /** Rejects where nothing can be found, for there is no meta page. */
  static async open(path: string): Promise<LmdbRemains> {
    const file = await open(path, 'r')
    try {
      const first = await parseMeta(file, 0)
      const second = await parseMeta(file, typeof first === 'string' ? 4096 : first.pageSize)
      const metas = [first, second].filter((meta) => typeof meta === 'object')
      if (metas.length === 0) throw new Error(`${path} has no meta page left: nothing can be found in it`)
      return new LmdbRemains(
        file,
        metas.toSorted((a, b) => Number(b.transaction - a.transaction)),
      )
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /** Every row of a table that can be found, each key once; keys of one transaction in their order. */
  async *rows(table: string): AsyncGenerator<Row> {
    for (const [age, meta] of this.#metas.entries()) {
      const before = this.lostPages
      const root = await this.#rootOf(meta, table)
      if (root === undefined) this.lostPages++
      else if (root !== 'empty') {
        for await (const row of this.#leaves(meta, root)) {
          if (age === 0 || (await this.#find(this.#metas.slice(0, age), table, row.key)) === undefined) yield row
        }
      }
      if (this.lostPages === before) return
    }
  }

  /**
   * Rows of all tables in pages that no walk has met, those of later transactions first. Nothing leads to these pages, so
   * what is in them may have been removed or replaced long ago, and which table they belong to only their rows can tell.
   */
  async *strays(): AsyncGenerator<Row> {
    const [newest] = this.#metas
    if (newest === undefined) return
    const { size } = await this.#file.stat()
    const pages: { readonly page: number; readonly transaction: bigint }[] = []
    for (let page = 2; (page + 1) * newest.pageSize <= size; page++) {
      const header = this.#met.has(page) ? undefined : await this.#read(page * newest.pageSize, headerBytes)
      if (header?.readBigUInt64LE(0) !== BigInt(page) || (header.readUInt16LE(18) & kinds.leaf) === 0) continue
      pages.push({ page, transaction: header.readBigUInt64LE(8) })
    }
    for (const { page } of pages.toSorted((a, b) => Number(b.transaction - a.transaction))) {
      for (const { key, value: read } of (await this.#nodes(newest, page))?.nodes ?? []) {
        const value = await read()
        if (value !== undefined) yield { key, value }
      }
    }
  }

  /** Undefined where it is lost, or was never there. */
  get(table: string, key: Buffer): Promise<Buffer | undefined> {
    return this.#find(this.#metas, table, key)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close()
  }

  async #find(metas: readonly Meta[], table: string, key: Buffer): Promise<Buffer | undefined> {
    for (const meta of metas) {
      const root = await this.#rootOf(meta, table)
      const value = typeof root === 'number' ? await this.#lookUp(meta, root, key) : undefined
      if (value !== undefined) return value
    }
    return undefined
  }

  async #rootOf(meta: Meta, table: string): Promise<number | 'empty' | undefined> {
    if (meta.mainRoot === undefined) return 'empty'
    // lmdb ends names with a zero.
    const record = await this.#lookUp(meta, meta.mainRoot, Buffer.from(`${table}\0`))
    if (record === undefined || record.length < 48) return undefined
    const root = record.readBigUInt64LE(40)
    return root === noPage ? 'empty' : Number(root)
  }

  async #lookUp(meta: Meta, root: number, key: Buffer): Promise<Buffer | undefined> {
    // Deeper than any tree of 64 bits: a page that leads back to itself ends here.
    for (let [page, depth]: [number | undefined, number] = [root, 0]; page !== undefined && depth < 64; depth++) {
      const found = await this.#nodes(meta, page)
      if (found?.leaf === true) return found.nodes.find((node) => node.key.equals(key))?.value()
      // The first key of a branch is empty: it stands for all that is smaller than the second one.
      page = found?.nodes.findLast((node, index) => index === 0 || Buffer.compare(node.key, key) <= 0)?.page
    }
    return undefined
  }

  async *#leaves(meta: Meta, page: number, depth = 0): AsyncGenerator<Row> {
    const found = depth < 64 ? await this.#nodes(meta, page) : undefined
    if (found?.leaf === true) this.#met.add(page)
    if (found === undefined) {
      this.lostPages++
      return
    }
    for (const node of found.nodes) {
      if (!found.leaf) yield* this.#leaves(meta, node.page, depth + 1)
      else {
        const value = await node.value()
        if (value === undefined) this.lostPages++
        else yield { key: node.key, value }
      }
    }
  }

  /** Undefined where the page is lost, or is another one. */
  async #nodes(meta: Meta, page: number): Promise<{ leaf: boolean; nodes: readonly Node[] } | undefined> {
    const { pageSize } = meta
    const bytes = await this.#read(page * pageSize, pageSize)
    if (bytes === undefined || bytes.readBigUInt64LE(0) !== BigInt(page)) return undefined
    const kind = bytes.readUInt16LE(18)
    const leaf = (kind & kinds.leaf) !== 0
    if (!leaf && (kind & kinds.branch) === 0) return undefined
    const lower = bytes.readUInt16LE(20) + headerBytes
    const nodes: Node[] = []
    for (let pointer = headerBytes; pointer < Math.min(lower, pageSize - 1); pointer += 2) {
      const node = parseNode(bytes, bytes.readUInt16LE(pointer) + headerBytes)
      if (node === undefined) return undefined
      const { key, low, flags, data } = node
      const value = async (): Promise<Buffer | undefined> => {
        if ((flags & nodeFlags.overflow) === 0)
          return data + low > pageSize ? undefined : bytes.subarray(data, data + low)
        if (data + 8 > pageSize) return undefined
        return this.#read(Number(bytes.readBigUInt64LE(data)) * pageSize + headerBytes, low)
      }
      nodes.push({ key, page: low + flags * 2 ** 32, value })
    }
    return { leaf, nodes }
  }

  async #read(position: number, length: number): Promise<Buffer | undefined> {
    // What a damaged page claims is not allocated before it is known to be there.
    if (position + length > (await this.#file.stat()).size) return undefined
    const { buffer, bytesRead } = await this.#file.read(Buffer.alloc(length), 0, length, position)
    return bytesRead === length ? buffer : undefined
  }
}

function parseNode(bytes: Buffer, at: number): { key: Buffer; low: number; flags: number; data: number } | undefined {
  if (at + 8 > bytes.length) return undefined
  const data = at + 8 + bytes.readUInt16LE(at + 6)
  if (data > bytes.length) return undefined
  return { key: bytes.subarray(at + 8, data), low: bytes.readUInt32LE(at), flags: bytes.readUInt16LE(at + 4), data }
}
