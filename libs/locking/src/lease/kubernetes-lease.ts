/** A coordination.k8s.io/v1 Lease, as far as it concerns us. `raw` is sent back whole, so that labels of others stay. */
export interface KubernetesLease {
  readonly raw: Readonly<Record<string, unknown>>
  readonly metadata: Readonly<Record<string, unknown>>
  readonly uid: string
  readonly resourceVersion: string
  /** Empty: released. */
  readonly holderIdentity: string
  readonly leaseDurationSeconds: number
  readonly renewTime: string
  /** Missing counts as 0. */
  readonly leaseTransitions: number
}

export interface LeaseSpec {
  readonly holderIdentity: string
  readonly leaseDurationSeconds: number
  readonly acquireTime: string
  readonly renewTime: string
  readonly leaseTransitions: number
}

export function readLease(body: unknown): KubernetesLease | undefined {
  if (!isObject(body) || !isObject(body['metadata'])) return undefined
  const { uid, resourceVersion } = body['metadata']
  if (typeof resourceVersion !== 'string' || typeof uid !== 'string') return undefined
  const spec = isObject(body['spec']) ? body['spec'] : {}
  const { holderIdentity, leaseDurationSeconds, renewTime, leaseTransitions } = spec
  return {
    raw: body,
    metadata: body['metadata'],
    uid,
    resourceVersion,
    holderIdentity: typeof holderIdentity === 'string' ? holderIdentity : '',
    leaseDurationSeconds: typeof leaseDurationSeconds === 'number' ? leaseDurationSeconds : 0,
    renewTime: typeof renewTime === 'string' ? renewTime : '',
    leaseTransitions: typeof leaseTransitions === 'number' ? leaseTransitions : 0,
  }
}

/** The type MicroTime. For people: nobody judges by it, as clocks differ. */
export const microTime = (unixMs: number): string => new Date(unixMs).toISOString().replace('Z', '000Z')

/** The message of a Status object. */
export function statusMessage(body: unknown): string {
  return isObject(body) && typeof body['message'] === 'string' ? body['message'] : 'no reason given'
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
