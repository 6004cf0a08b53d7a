import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { askKubernetes, type KubernetesTarget } from './kubernetes-api.ts'
import { microTime, readLease, statusMessage, type KubernetesLease, type LeaseSpec } from './kubernetes-lease.ts'
import { Observation } from './observation.ts'
import { LeaseStoreError, type Fence, type LeaseCall, type LeaseClaim, type LeaseStore, type Taken } from './port.ts'

export interface KubernetesLeaseOptions {
  /** Default: the machine's monotonic clock. */
  readonly nowMs?: () => number
}

const serviceAccount = '/var/run/secrets/kubernetes.io/serviceaccount'

/**
 * A Lease object of coordination.k8s.io/v1 per key, with `resourceVersion` as compare-and-swap; the same objects, and
 * the same rules, as client-go's leader election, so that `kubectl get lease` shows the holder. In a pod `kubernetes:`
 * is all; else `kubernetes:?server=https://host:6443&namespace=default&credentials=<folder with token and ca.crt>`.
 * Needs get, create and update on leases.
 *
 * The server tells no time: a holder's time is over when he was not seen to renew for as long as he asked for. Durations
 * are whole seconds there, rounded up. Epoch = leaseTransitions + 1, which starts again when somebody deletes the object:
 * it decides who may try, and data kept elsewhere needs a fence that is minted there. Keys are DNS names in lower case.
 */
export class KubernetesLeaseStore implements LeaseStore {
  readonly name: string
  readonly #target: KubernetesTarget
  readonly #nowMs: () => number
  readonly #observation = new Observation()

  private constructor(target: KubernetesTarget, nowMs: () => number) {
    this.#target = target
    this.name = `Kubernetes at ${target.server.host}, namespace ${target.namespace},`
    this.#nowMs = nowMs
  }

  static async open(
    text: string,
    { nowMs = () => performance.now() }: KubernetesLeaseOptions = {},
  ): Promise<KubernetesLeaseStore> {
    const parameters = new URL(text).searchParams
    const unknown = [...parameters.keys()].find((name) => !['server', 'namespace', 'credentials'].includes(name))
    if (unknown !== undefined) {
      throw new LeaseStoreError(
        `the kubernetes: URL has a parameter "${unknown}": known are server, namespace, credentials`,
      )
    }
    const credentials = parameters.get('credentials') ?? serviceAccount
    const read = (name: string): Promise<string> => readFile(join(credentials, name), 'utf8')
    try {
      await read('token')
      const namespace = parameters.get('namespace') ?? (await read('namespace')).trim()
      const server = new URL(parameters.get('server') ?? 'https://kubernetes.default.svc')
      return new KubernetesLeaseStore({ server, namespace, credentials }, nowMs)
    } catch (cause) {
      throw new LeaseStoreError(`no credentials for Kubernetes in ${credentials}: mount a service account`, { cause })
    }
  }

  async take(key: string, { nonce, holder, ttlMs, timeoutMs }: LeaseClaim): Promise<Taken> {
    const lease = await this.#get(key, timeoutMs)
    const renewTime = microTime(Date.now())
    const wanted = {
      holderIdentity: identity(holder, nonce),
      leaseDurationSeconds: Math.ceil(ttlMs / 1000),
      renewTime,
    }
    if (lease === undefined) {
      const created = await this.#create(key, { ...wanted, acquireTime: renewTime, leaseTransitions: 0 }, timeoutMs)
      return created ? { taken: true, epoch: 1n } : { taken: false, holder: '', freeInMs: 0 }
    }
    const mine = nonceOf(lease) === nonce
    const freeInMs = mine || lease.holderIdentity === '' ? 0 : this.#leftMs(key, lease)
    if (freeInMs > 0) return { taken: false, holder: holderOf(lease), freeInMs }
    const leaseTransitions = mine ? lease.leaseTransitions : lease.leaseTransitions + 1
    const changed = await this.#update(key, lease, { ...wanted, acquireTime: renewTime, leaseTransitions }, timeoutMs)
    return changed ? { taken: true, epoch: epochOf({ leaseTransitions }) } : { taken: false, holder: '', freeInMs: 0 }
  }

  async renew(key: string, fence: Fence, { ttlMs, timeoutMs }: LeaseCall): Promise<boolean> {
    const lease = await this.#get(key, timeoutMs)
    if (lease === undefined || nonceOf(lease) !== fence.nonce || epochOf(lease) !== fence.epoch) return false
    const leaseDurationSeconds = Math.max(lease.leaseDurationSeconds, Math.ceil(ttlMs / 1000))
    const spec = { leaseDurationSeconds, renewTime: microTime(Date.now()) }
    if (await this.#update(key, lease, spec, timeoutMs)) return true
    throw new LeaseStoreError(`${this.name} had the lease changed meanwhile, perhaps by somebody's edit: ask again`)
  }

  async release(key: string, nonce: string, { timeoutMs }: Pick<LeaseCall, 'timeoutMs'>): Promise<boolean> {
    const lease = await this.#get(key, timeoutMs)
    if (lease === undefined || nonceOf(lease) !== nonce) return false
    // As client-go: nobody, for a second; leaseTransitions stay.
    const spec = { holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime(Date.now()) }
    if (await this.#update(key, lease, spec, timeoutMs)) return true
    throw new LeaseStoreError(`${this.name} had the lease changed meanwhile: it runs out by itself`)
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #leftMs(key: string, lease: KubernetesLease): number {
    const version = `${lease.uid} ${lease.holderIdentity} ${lease.renewTime} ${lease.leaseDurationSeconds}`
    return this.#observation.leftMs(key, version, lease.leaseDurationSeconds * 1000, this.#nowMs())
  }

  async #get(key: string, timeoutMs: number): Promise<KubernetesLease | undefined> {
    const { status, body } = await this.#ask('GET', key, timeoutMs)
    if (status === 404) return undefined
    const lease = status === 200 ? readLease(body) : undefined
    if (lease === undefined) throw this.#refused(status, body)
    return lease
  }

  async #create(key: string, spec: LeaseSpec, timeoutMs: number): Promise<boolean> {
    const lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: key },
      spec,
    }
    return this.#changed(await this.#ask('POST', key, timeoutMs, lease))
  }

  async #update(key: string, lease: KubernetesLease, spec: Partial<LeaseSpec>, timeoutMs: number): Promise<boolean> {
    // The metadata carry the resourceVersion that was read: the server refuses the update if it is not the last one.
    const old = typeof lease.raw['spec'] === 'object' ? lease.raw['spec'] : {}
    return this.#changed(await this.#ask('PUT', key, timeoutMs, { ...lease.raw, spec: { ...old, ...spec } }))
  }

  #changed({ status, body }: { status: number; body: unknown }): boolean {
    if (status === 409 || status === 404) return false
    if (status !== 200 && status !== 201) throw this.#refused(status, body)
    return true
  }

  async #ask(
    method: string,
    key: string,
    timeoutMs: number,
    body?: unknown,
  ): Promise<{ status: number; body: unknown }> {
    if (!/^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/.test(key)) {
      throw new LeaseStoreError(`"${key}" cannot name a Kubernetes Lease: use up to 63 of a-z 0-9 . -`)
    }
    const { namespace } = this.#target
    const leases = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases`
    try {
      return await askKubernetes(this.#target, method, method === 'POST' ? leases : `${leases}/${key}`, timeoutMs, body)
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new LeaseStoreError(`${this.name} did not answer: ${reason}`, { cause })
    }
  }

  #refused(status: number, body: unknown): LeaseStoreError {
    return new LeaseStoreError(`${this.name} refused with status ${status}: ${statusMessage(body)}`)
  }
}

/** The holder's own words first, as others do it: "web-1:4711_<nonce>". */
const identity = (holder: string, nonce: string): string => `${holder}_${nonce}`
const nonceOf = ({ holderIdentity }: KubernetesLease): string =>
  holderIdentity.slice(holderIdentity.lastIndexOf('_') + 1)
const holderOf = ({ holderIdentity }: KubernetesLease): string => holderIdentity.replace(/_[0-9a-f]{32}$/, '')
const epochOf = ({ leaseTransitions }: Pick<KubernetesLease, 'leaseTransitions'>): bigint =>
  BigInt(leaseTransitions) + 1n
