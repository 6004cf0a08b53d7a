/** One dangerous line taken out, and the tests that must fail without it. */
export interface Mutant {
  readonly name: string
  /** Below `src`. */
  readonly file: string
  /** Occurs once. */
  readonly line: string
  readonly instead: string
  readonly test: string
  /** Part of the names of the tests in that file, so that one need not wait for the others. */
  readonly named: string
}

export const mutants: readonly Mutant[] = [
  {
    name: 'what arrives is not hashed against what was promised',
    file: 'blob/lmdb/store.ts',
    line: "      if (entry.digest !== undefined && entry.digest !== digest) return { outcome: 'mismatch', digest }\n",
    instead: '',
    test: 'blob/lmdb.test.ts',
    named: 'is not what was promised',
  },
  {
    name: 'the digest of a small one is not checked',
    file: 'blob/lmdb/store.ts',
    line: "        if (expected !== undefined && expected !== digest) return { outcome: 'mismatch', digest }\n",
    instead: '',
    test: 'blob/lmdb.test.ts',
    named: 'one outcome per small entry',
  },
  {
    name: 'small bytes are given out unverified',
    file: 'blob/lmdb/reader.ts',
    line: 'if (bytes !== undefined && sha256(bytes) === digest) return inMemoryBlob(',
    instead: 'if (bytes !== undefined) return inMemoryBlob(',
    test: 'blob/lmdb.test.ts',
    named: 'damage at rest',
  },
  {
    name: 'chunks of a file are given out unverified',
    file: 'blob/lmdb/read-chunks.ts',
    line: '  assertChunkHash(hash.digest(), plain, content.chunks, index)\n',
    instead: '',
    test: 'blob/lmdb.test.ts',
    named: 'damage at rest',
  },
  {
    name: 'a copy that is there is relied upon without a look at it',
    file: 'blob/lmdb/store.ts',
    line: '    for (const digest of digests) if (digest !== undefined) await this.#reader.intact(digest)\n',
    instead: '',
    test: 'blob/lmdb.test.ts',
    named: 'bytes that come again replace a copy',
  },
  {
    name: 'what must be new replaces what is there',
    file: 'blob/lmdb/catalog.ts',
    line: 'const taken = onlyIfNew === true ? this.#digestOf(name) : undefined',
    instead: 'const taken = onlyIfNew === undefined ? this.#digestOf(name) : undefined',
    test: 'blob/lmdb.test.ts',
    named: 'what must be new',
  },
  {
    name: 'a file gets its final name before its bytes are synced',
    file: 'blob/lmdb/files.ts',
    line: '      await this.#file.sync()\n',
    instead: '',
    test: 'blob/lmdb.test.ts',
    named: 'a large put is synced',
  },
  {
    name: 'the folder of a new file is not synced',
    file: 'blob/lmdb/files.ts',
    line: '    await rename(from, this.#path(file))\n    await syncFolder(folder)\n',
    instead: '    await rename(from, this.#path(file))\n',
    test: 'blob/lmdb.test.ts',
    named: 'a large put is synced',
  },
  {
    name: 'acknowledged before the commit is durable',
    file: 'lmdb-environment.ts',
    line: '    overlappingSync: false,\n',
    instead: '    overlappingSync: true,\n',
    test: 'lmdb-environment.test.ts',
    named: 'a write is acknowledged after fdatasync',
  },
  {
    name: 'reads see what this process saw last',
    file: 'blob/lmdb/read-current.ts',
    line: '    environment.refresh()\n',
    instead: '',
    test: 'lmdb-environment.test.ts',
    named: 'acknowledged writes at once: blobs',
  },
  {
    name: 'a removal unlinks whatever file has the digest',
    file: 'blob/lmdb/files.ts',
    line: '    const file = { digest, generation: this.generation }\n',
    instead: "    const file = { digest, generation: '0'.repeat(24) }\n",
    test: 'blob/lmdb.test.ts',
    named: 'before a remove has unlinked',
  },
]

/** The one that the environment names. */
export function chosenMutant(): Mutant {
  const wanted = process.env['BLOB_MUTANT']
  const mutant = mutants.find(({ name }) => name === wanted)
  if (mutant === undefined) throw new Error(`there is no mutant "${wanted}"`)
  return mutant
}
