import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder, type TemporaryFolder } from '@ballast/testing'
import { generate } from 'selfsigned'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { describeLeaseContract } from './contract.ts'
import { KubernetesLeaseStore } from './kubernetes.ts'
import { fencedInKubernetes } from './test/fenced-kubernetes.ts'
import { startKubernetesApi, type KubernetesApiServer } from './test/kubernetes-api-server.ts'

let folder: TemporaryFolder
let api: KubernetesApiServer

/** A service account's folder for the server, as the kubelet mounts it. */
async function credentials(ca = ''): Promise<string> {
  const path = join(folder.path, 'serviceaccount')
  await mkdir(path, { recursive: true })
  await writeFile(join(path, 'token'), `${api.token}\n`)
  await writeFile(join(path, 'namespace'), 'testing')
  await writeFile(join(path, 'ca.crt'), ca)
  return path
}
const open = async (): Promise<KubernetesLeaseStore> =>
  KubernetesLeaseStore.open(`kubernetes:?server=${api.url}&credentials=${await credentials()}`)

const start = async (): Promise<AsyncDisposable> => {
  folder = await temporaryFolder()
  api = await startKubernetesApi()
  return {
    async [Symbol.asyncDispose]() {
      await api[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
}

describeLeaseContract(
  'kubernetes',
  async () => ({
    ...(await start()),
    open,
    openFenced: async () =>
      fencedInKubernetes({
        server: new URL(api.url),
        namespace: 'testing',
        credentials: await credentials(),
      }),
    forget: async (key) => api.remove(key),
  }),
  { granularityMs: 1_000, expiryBy: 'observer' },
)

describe('on the API server', () => {
  const claim = { nonce: 'a'.repeat(32), holder: 'web-1:7', ttlMs: 14_500, timeoutMs: 10_000 }
  let server: AsyncDisposable
  beforeEach(async () => {
    server = await start()
  })
  afterEach(() => server[Symbol.asyncDispose]())

  test('the object is one that kubectl and client-go understand', async () => {
    await using store = await open()
    await store.take('leader', claim)
    expect(api.get('leader')).toMatchObject({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      spec: {
        holderIdentity: `web-1:7_${claim.nonce}`,
        leaseDurationSeconds: 15,
        leaseTransitions: 0,
        renewTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
        acquireTime: expect.stringMatching(/\.\d{6}Z$/),
      },
    })
    await store.release('leader', claim.nonce, claim)
    expect(api.get('leader')?.spec).toMatchObject({
      holderIdentity: '',
      leaseDurationSeconds: 1,
      leaseTransitions: 0,
    })
  })

  test('an edit of labels by others stays, and does not end the lease', async () => {
    await using store = await open()
    const taken = await store.take('leader', claim)
    if (!taken.taken) throw new Error('not taken')
    api.edit('leader', (lease) => void (lease.metadata.labels = { team: 'blue' }))
    await expect(store.renew('leader', { epoch: taken.epoch, nonce: claim.nonce }, claim)).resolves.toBe(true)
    expect(api.get('leader')?.metadata.labels).toEqual({ team: 'blue' })
  })

  test('what others did between the read and the write is never overwritten', async () => {
    await using store = await open()
    await store.take('leader', claim)
    await store.release('leader', claim.nonce, claim)
    const intrude = (): void => api.edit('leader', ({ spec }) => Object.assign(spec, { holderIdentity: 'intruder' }))
    api.afterGet = intrude
    await expect(store.take('leader', claim)).resolves.toMatchObject({ taken: false })
    api.edit('leader', ({ spec }) => Object.assign(spec, { holderIdentity: `me_${claim.nonce}` }))
    api.afterGet = intrude
    await expect(store.renew('leader', { epoch: 1n, nonce: claim.nonce }, claim)).rejects.toThrow('changed meanwhile')
    expect(api.get('leader')?.spec).toMatchObject({ holderIdentity: 'intruder' })
  })

  test('a candidate of another program that holds it is respected until it was silent for its own time', async () => {
    let nowMs = 0
    await using store = await KubernetesLeaseStore.open(
      `kubernetes:?server=${api.url}&credentials=${await credentials()}`,
      { nowMs: () => nowMs },
    )
    await using other = await open()
    await other.take('leader', { ...claim, nonce: 'b'.repeat(32) })
    api.edit('leader', ({ spec }) =>
      Object.assign(spec, { holderIdentity: 'kube-scheduler', leaseDurationSeconds: 15 }),
    )
    const refused = { taken: false, holder: 'kube-scheduler' }
    await expect(store.take('leader', claim)).resolves.toMatchObject({
      ...refused,
      freeInMs: 15_000,
    })
    nowMs = 14_000
    await expect(store.take('leader', claim)).resolves.toMatchObject({
      ...refused,
      freeInMs: 1_000,
    })
    // Its clock may be years off: that it renews is what counts.
    api.edit('leader', ({ spec }) => Object.assign(spec, { renewTime: '1999-01-01T00:00:00.000000Z' }))
    nowMs = 20_000
    await expect(store.take('leader', claim)).resolves.toMatchObject({
      ...refused,
      freeInMs: 15_000,
    })
    nowMs = 35_000
    await expect(store.take('leader', claim)).resolves.toEqual({ taken: true, epoch: 2n })
  })

  test('an answer that is lost leaves the outcome open; the same nonce finds it out', async () => {
    await using store = await open()
    await store.take('leader', claim)
    await store.release('leader', claim.nonce, claim)
    api.loseAnswers = 1
    await expect(store.take('leader', claim)).rejects.toThrow('did not answer')
    await expect(store.take('leader', claim)).resolves.toEqual({ taken: true, epoch: 2n })
  })

  test('what the server refuses is told with its reason', async () => {
    await using store = await open()
    await writeFile(join(await credentials(), 'token'), 'wrong')
    await expect(store.take('leader', claim)).rejects.toThrow('refused with status 401: Unauthorized')
    await expect(store.take('Not_DNS', claim)).rejects.toThrow('cannot name a Kubernetes Lease')
    await expect(KubernetesLeaseStore.open('kubernetes:?credentials=/nonexistent')).rejects.toThrow(
      'mount a service account',
    )
    await expect(KubernetesLeaseStore.open('kubernetes:?nope=1')).rejects.toThrow('a parameter "nope"')
  })

  test('over TLS the server must be signed by the authority of the service account', async () => {
    const extensions = [{ name: 'subjectAltName' as const, altNames: [{ type: 7 as const, ip: '127.0.0.1' }] }]
    const pem = await generate([{ name: 'commonName', value: 'kube-apiserver' }], {
      keySize: 2048,
      extensions,
    })
    await using secure = await startKubernetesApi({ key: pem.private, cert: pem.cert })
    const openAt = async (ca: string): Promise<KubernetesLeaseStore> => {
      const path = await credentials(ca)
      await writeFile(join(path, 'token'), secure.token)
      return KubernetesLeaseStore.open(`kubernetes:?server=${secure.url}&credentials=${path}`)
    }
    await using trusted = await openAt(pem.cert)
    await expect(trusted.take('leader', claim)).resolves.toEqual({ taken: true, epoch: 1n })
    await using untrusted = await openAt('')
    await expect(untrusted.take('leader', claim)).rejects.toThrow('did not answer')
  })
})
