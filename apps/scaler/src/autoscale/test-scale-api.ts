import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const problem = (code: number, reason: string) => ({
  kind: 'Status',
  status: 'Failure',
  code,
  reason,
  message: reason,
})

/**
 * For tests: the scale subresource of one StatefulSet as the API server serves it (autoscaling/v1 Scale): a PUT with another
 * resourceVersion than the last is a 409 with a Status object, one without a token a 401, another name a 404.
 */
export async function startScaleApi() {
  const path = '/apis/apps/v1/namespaces/testing/statefulsets/workers/scale'
  let version = 100
  const state = { replicas: 2, forbidden: false, puts: 0, afterGet: undefined as (() => void) | undefined }
  const scale = () => ({
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name: 'workers', namespace: 'testing', uid: 'u-1', resourceVersion: String(version) },
    spec: { replicas: state.replicas },
    status: { replicas: state.replicas, selector: 'app=workers' },
  })
  const answer = (method: string, url: string, authorization: string, body: string): [number, unknown] => {
    if (authorization !== 'Bearer sesame') return [401, problem(401, 'Unauthorized')]
    if (url !== path) return [404, problem(404, 'NotFound')]
    if (state.forbidden) return [403, problem(403, 'Forbidden')]
    if (method === 'GET') return [200, scale()]
    state.puts += 1
    const wanted: ReturnType<typeof scale> = JSON.parse(body)
    if (wanted.metadata.resourceVersion !== String(version)) return [409, problem(409, 'Conflict')]
    state.replicas = wanted.spec.replicas
    version += 1
    return [200, scale()]
  }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method = '', url = '', headers } = request
      const [status, body] = answer(method, url, headers.authorization ?? '', Buffer.concat(chunks).toString())
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
      if (method === 'GET') {
        state.afterGet?.()
        state.afterGet = undefined
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    state,
    /** Somebody else scales. */
    edit(replicas: number) {
      state.replicas = replicas
      version += 1
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
