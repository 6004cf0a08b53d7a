import type { FencedStore } from '../contract.ts'
import { askKubernetes, type KubernetesTarget } from '../kubernetes-api.ts'
import { readLease } from '../kubernetes-lease.ts'

/** Data in an annotation of the Lease itself: the compare-and-swap that writes it refuses when anything has changed. */
export function fencedInKubernetes(target: KubernetesTarget): FencedStore {
  const path = (key: string): string => `/apis/coordination.k8s.io/v1/namespaces/${target.namespace}/leases/${key}`
  const get = async (key: string) => readLease((await askKubernetes(target, 'GET', path(key), 10_000)).body)
  return {
    async write(key, { epoch, nonce }, value) {
      const lease = await get(key)
      if (lease === undefined || !lease.holderIdentity.endsWith(`_${nonce}`)) return false
      if (BigInt(lease.leaseTransitions) + 1n !== epoch) return false
      const body = { ...lease.raw, metadata: { ...lease.metadata, annotations: { data: value } } }
      return (await askKubernetes(target, 'PUT', path(key), 10_000, body)).status === 200
    },
    async read(key) {
      const annotations = (await get(key))?.metadata['annotations']
      return typeof annotations === 'object' && annotations !== null && 'data' in annotations
        ? String(annotations.data)
        : undefined
    },
    [Symbol.asyncDispose]: async () => {},
  }
}
