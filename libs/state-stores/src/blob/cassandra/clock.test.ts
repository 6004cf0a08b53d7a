import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { Client } from 'cassandra-driver'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { cassandraBlobStore } from '../cassandra.ts'
import { bytesOf, name, readAll } from '../contract/harness.ts'
import { sha256 } from '../hash.ts'
import { graceMs } from './leftovers.ts'
import { parseCassandraUrl } from './target.ts'
import { keyspaceUrl } from './test-keyspace.ts'

await describeOnBackend('cassandra', ({ url }) => {
  const keyspace = keyspaceUrl(url)
  let client: Client
  beforeAll(async () => {
    const { contactPoints, datacenter, keyspace: own } = parseCassandraUrl(keyspace())
    const store = await cassandraBlobStore({ url: keyspace() })
    await store.close()
    client = new Client({ contactPoints: [...contactPoints], localDataCenter: datacenter, keyspace: own })
  }, 120_000)
  afterAll(() => client.shutdown())

  const start = async (prefix: string, options: { now?: () => number } = {}) => {
    const store = await cassandraBlobStore({ url: keyspace(prefix), timeoutMs: 15_000, ...options })
    onTestFinished(() => store.close())
    return store
  }
  const key = name('k')
  const large = bytesOf(1, 700_000)
  const removeAt = (prefix: string, ms: number): Promise<unknown> =>
    client.execute(
      'DELETE FROM blob_entries USING TIMESTAMP ? WHERE namespace = ? AND key = ?',
      [String(BigInt(ms) * 1000n), `${prefix}/test`, 'k'],
      { prepare: true },
    )
  const generations = async (): Promise<number> => {
    const { rows } = await client.execute('SELECT DISTINCT generation, part FROM blob_chunks')
    return rows.length
  }

  test('a put that is shadowed by a removal of a clock that is ahead becomes visible all the same', async () => {
    const store = await start('ahead')
    await removeAt('ahead', Date.now() + 30_000)
    expect((await store.put({ name: key }, [Buffer.from('x')])).outcome).toBe('created')
    expect(await readAll(await store.open(key))).toEqual(Buffer.from('x'))
    // The clock is still behind what is stored, and yet the next change is the later one.
    expect(await store.remove([key])).toEqual(['removed'])
    expect((await store.put({ name: key }, [large])).outcome).toBe('created')
    expect((await readAll(await store.open(key)))?.equals(large)).toBe(true)
  })

  test('what must be new waits for a removal of a clock a little ahead, and is not applied behind one far ahead', async () => {
    const store = await start('new')
    await removeAt('new', Date.now() + 500)
    expect((await store.put({ name: key, onlyIfNew: true }, [large])).outcome).toBe('created')
    expect((await readAll(await store.open(key)))?.equals(large)).toBe(true)
    expect((await store.put({ name: key, onlyIfNew: true }, [Buffer.from('x')])).outcome).toBe('taken')
    expect(await store.remove([key])).toEqual(['removed'])
    await removeAt('new', Date.now() + 60_000)
    const late = store.put({ name: key, onlyIfNew: true }, [large])
    await expect(late).rejects.toThrow(/ahead of the cluster's clock; set the clocks right/)
    expect(await store.stat([key])).toEqual([undefined])
  })

  test('a removal hours ahead cannot be overcome: the put was not applied, and says which clocks to set', async () => {
    const store = await start('far')
    await removeAt('far', Date.now() + 5 * 3_600_000)
    await expect(store.put({ name: key }, [Buffer.from('x')])).rejects.toThrow(
      /ahead of this clock; set the clocks right/,
    )
    const [small] = await store.putSmall([{ name: key, bytes: Buffer.from('x') }])
    expect(small).toMatchObject({ outcome: 'failed', error: { name: 'NotAppliedError' } })
    expect(await store.stat([key])).toEqual([undefined])
  })

  test('a removal that arrives late does not take what was put after it was sent', async () => {
    const store = await start('late')
    await store.put({ name: key }, [Buffer.from('x')])
    const written = (
      await client.execute("SELECT writetime(head) FROM blob_entries WHERE namespace = 'late/test' AND key = 'k'")
    ).first()
    // The same bytes again: they are there, and the answer promises that they stay.
    expect((await store.put({ name: key }, [Buffer.from('x')])).outcome).toBe('exists')
    const seen = BigInt(String(written?.get(0)))
    await client.execute(
      `DELETE FROM blob_entries USING TIMESTAMP ${seen + 1n} WHERE namespace = 'late/test' AND key = 'k'`,
    )
    expect(await readAll(await store.open(key))).toEqual(Buffer.from('x'))
  })

  test('a name that is put and removed at once is there after the last answered put', async () => {
    const [one, other] = [await start('race'), await start('race')]
    for (let round = 0; round < 15; round++) {
      const bytes = round % 2 === 0 ? Buffer.from('x') : large
      const [, [removed]] = await Promise.all([one.put({ name: key }, [bytes]), other.remove([key])])
      expect(['removed', 'missing']).toContain(removed)
      const found = await readAll(await other.open(key))
      expect(found === undefined || found.equals(bytes)).toBe(true)
      await other.put({ name: key }, [bytes])
      expect((await readAll(await one.open(key)))?.equals(bytes)).toBe(true)
    }
  })

  test('writers of one name leave one of their values, whole', async () => {
    // The same microsecond for all of them: cells are then chosen by value, and must be chosen alike.
    const nowMs = Date.now()
    const stores = await Promise.all(Array.from({ length: 4 }, () => start('same', { now: () => nowMs })))
    for (let round = 0; round < 15; round++) {
      const [to] = [name(`${round}`)]
      const values = stores.map((_, index) => bytesOf(index, index % 2 === 0 ? 50 : 100_000))
      await Promise.all(stores.map((store, index) => store.put({ name: to }, [values[index] ?? Buffer.alloc(0)])))
      const found = await readAll(await stores[0]?.open(to))
      expect(values.map(sha256)).toContain(sha256(found ?? Buffer.alloc(0)))
    }
  })

  test('chunks without a name go after a day, those with a name never', async () => {
    await client.execute('TRUNCATE blob_leftovers')
    await client.execute('TRUNCATE blob_chunks')
    let nowMs = Date.now()
    const store = await start('sweep', { now: () => nowMs })
    await store.put({ name: name('kept') }, [large])
    await store.put({ name: name('gone') }, [large])
    await store.remove([name('gone')])
    await store.put({ name: name('twice') }, [large])
    await store.put({ name: name('twice') }, [bytesOf(2, 700_000)])
    // A process that died while it was uploading.
    const dying = (async function* () {
      yield large
      await new Promise(() => {})
    })()
    const dead = await cassandraBlobStore({ url: keyspace('sweep') })
    void dead.put({ name: name('dead') }, dying)
    await expect.poll(generations, { timeout: 15_000 }).toBe(5)
    expect(await store.sweep()).toBe(0)
    nowMs += graceMs + 60_000
    expect(await store.sweep()).toBe(3)
    expect(await generations()).toBe(2)
    expect((await readAll(await store.open(name('kept'))))?.equals(large)).toBe(true)
    expect((await readAll(await store.open(name('twice'))))?.equals(bytesOf(2, 700_000))).toBe(true)
    expect(await store.sweep()).toBe(0)
  })
})
