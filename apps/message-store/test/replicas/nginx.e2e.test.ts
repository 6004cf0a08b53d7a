import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { describeWithClient } from '../clients/client.ts'
import { get, post, remove, sha256 } from '../messages-client.ts'
import { startDyingReplicas } from './dying-replicas.ts'
import { replicaOf, startNginx, startReplicas } from './replicas.ts'

async function cached(url: string, headers = {}): Promise<[number, string | null, string]> {
  const answer = await fetch(url, { headers })
  return [answer.status, answer.headers.get('x-cache'), await answer.text()]
}

await describeWithClient({ packageName: 'nginx-light', program: 'nginx' }, () => {
  test('with --no-delete a blob is fetched once, and served when all replicas are gone; a miss is never kept', async () => {
    await using folder = await temporaryFolder()
    await using own = await temporaryFolder()
    await using replicas = await startReplicas(`lmdb:${folder.path}`, '--no-delete')
    await using proxy = await startNginx(own.path, replicas)
    const bytes = Buffer.alloc(700_001, 'immutable ')
    const blob = `${proxy.url}/cas/${sha256(bytes.toString())}`
    expect((await cached(blob)).slice(0, 2)).toEqual([404, 'MISS'])
    expect((await fetch(blob, { method: 'PUT', body: new Uint8Array(bytes) })).status).toBe(201)
    expect(await post(proxy.url, 'foo')).toBe(201)
    const message = `${proxy.url}/messages/${sha256('foo')}`
    for (const [url, body] of [
      [blob, bytes.toString()],
      [message, '{"message": "foo"}'],
    ] as const) {
      expect(await cached(url)).toEqual([200, 'MISS', body])
      expect(await cached(url)).toEqual([200, 'HIT', body])
    }
    for (const each of replicas.processes) each.kill('SIGKILL')
    await Promise.all(replicas.processes.map(({ exit }) => exit))
    expect(await cached(blob)).toEqual([200, 'HIT', bytes.toString()])
    expect(await cached(message)).toEqual([200, 'HIT', '{"message": "foo"}'])
    expect(await cached(blob, { range: 'bytes=10-18' })).toEqual([206, 'HIT', 'immutable'])
    expect((await fetch(blob, { headers: { 'if-none-match': `"${sha256(bytes.toString())}"` } })).status).toBe(304)
  })

  test('where something may be deleted nothing is kept; uploads stay with one replica', async () => {
    await using folder = await temporaryFolder()
    await using own = await temporaryFolder()
    await using replicas = await startReplicas(`lmdb:${folder.path}`)
    await using proxy = await startNginx(own.path, replicas)
    expect(await post(proxy.url, 'foo')).toBe(201)
    for (let time = 0; time < 3; time++) expect((await get(proxy.url, sha256('foo'))).status).toBe(200)
    expect(await remove(proxy.url, sha256('foo'))).toBe(200)
    expect((await get(proxy.url, sha256('foo'))).status).toBe(404)

    const { headers } = await fetch(`${proxy.url}/cas/uploads`, { method: 'POST' })
    const upload = new URL(headers.get('location') ?? '', proxy.url)
    const met = new Set<string>()
    for (let piece = 0; piece < 6; piece++)
      met.add(replicaOf(await fetch(upload, { method: 'PATCH', body: `${piece}` })))
    expect(met.size).toBe(1)
    upload.searchParams.set('digest', `sha256:${sha256('012345')}`)
    expect((await fetch(upload, { method: 'PUT' })).status).toBe(201)
  })
  test.each(['DELETE', 'PUT', 'POST'])(
    '%s is not done again when the replica that did it dies, a GET is',
    async (method) => {
      await using own = await temporaryFolder()
      await using replicas = await startDyingReplicas()
      await using proxy = await startNginx(own.path, replicas)
      expect((await fetch(`${proxy.url}/write`, { method })).status).toBe(502)
      expect(replicas.executed).toEqual([`${method} /write`])
      expect(await (await fetch(`${proxy.url}/read`)).text()).toBe('answered')
      expect(replicas.executed.slice(1)).toEqual(['GET /read', 'GET /read'])
    },
  )
})
