import { randomUUID } from 'node:crypto'
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { AddressInfo } from 'node:net'

/**
 * The Lease resource of an API server, as far as concurrency goes (Kubernetes API conventions, "Concurrency Control and
 * Consistency"): resourceVersion grows with every write and is opaque; a PUT with another one than the last is a 409
 * Conflict, a POST of a name that exists a 409 AlreadyExists, both with a Status object; whoever has no token gets a 401.
 */
export interface KubernetesApiServer extends AsyncDisposable {
  readonly url: string
  readonly token: string
  /** The next answers, after the work was done, are not sent: the connection is closed instead. */
  loseAnswers: number
  /** Called once, right after the next GET was served: what others do between a read and a write. */
  afterGet: (() => void) | undefined
  edit(name: string, change: (lease: LeaseObject) => void): void
  remove(name: string): void
  get(name: string): LeaseObject | undefined
}

export interface LeaseObject {
  metadata: {
    name: string
    uid: string
    resourceVersion: string
    labels?: Record<string, string>
    annotations?: Record<string, string>
  }
  spec: Record<string, unknown>
}

const base = '/apis/coordination.k8s.io/v1/namespaces/testing/leases'

const status = (code: number, reason: string, message: string): [number, unknown] => [
  code,
  { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message },
]

export async function startKubernetesApi(tls?: { key: string; cert: string }): Promise<KubernetesApiServer> {
  const leases = new Map<string, LeaseObject>()
  const token = randomUUID()
  let version = 1000
  const stamp = (lease: LeaseObject): LeaseObject => {
    version += 1
    lease.metadata.resourceVersion = String(version)
    return lease
  }
  const respond = (method: string, path: string, body: LeaseObject | undefined): [number, unknown] => {
    if (!path.startsWith(base)) return status(404, 'NotFound', 'the server could not find the requested resource')
    const name = path.slice(base.length + 1)
    const found = leases.get(name)
    if (method === 'POST' && name === '' && body !== undefined) {
      const { name } = body.metadata
      if (leases.has(name)) return status(409, 'AlreadyExists', `leases.coordination.k8s.io "${name}" already exists`)
      leases.set(name, stamp({ ...body, metadata: { ...body.metadata, uid: randomUUID() } }))
      return [201, leases.get(name)]
    }
    if (found === undefined) return status(404, 'NotFound', `leases.coordination.k8s.io "${name}" not found`)
    if (method === 'GET') return [200, found]
    if (method !== 'PUT' || body === undefined) return status(405, 'MethodNotAllowed', 'not supported here')
    if (body.metadata.resourceVersion !== found.metadata.resourceVersion || body.metadata.uid !== found.metadata.uid) {
      return status(409, 'Conflict', 'the object has been modified; please apply your changes to the latest version')
    }
    leases.set(name, stamp(structuredClone(body)))
    return [200, leases.get(name)]
  }

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const text = Buffer.concat(chunks).toString()
    const known = request.headers.authorization === `Bearer ${token}`
    const [code, answer] = known
      ? respond(request.method ?? '', request.url ?? '', text === '' ? undefined : JSON.parse(text))
      : status(401, 'Unauthorized', 'Unauthorized')
    if (request.method === 'GET') {
      const { afterGet } = api
      api.afterGet = undefined
      afterGet?.()
    }
    if (api.loseAnswers > 0) {
      api.loseAnswers -= 1
      request.socket.destroy()
      return
    }
    response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  }

  const listener = (request: IncomingMessage, response: ServerResponse): void => void handle(request, response)
  const server = tls === undefined ? createHttp(listener) : createHttps(tls, listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const api: KubernetesApiServer = {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    token,
    loseAnswers: 0,
    afterGet: undefined,
    edit(name, change) {
      const lease = structuredClone(leases.get(name))
      if (lease === undefined) throw new Error(`there is no lease ${name}`)
      change(lease)
      leases.set(name, stamp(lease))
    },
    remove: (name) => void leases.delete(name),
    get: (name) => leases.get(name),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return api
}
