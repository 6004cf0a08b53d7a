import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root } from '../../image/apps.ts'
import { deployFolder, render } from '../../kustomize/render.ts'
import type { Level } from '../level.ts'
import { pauseImage, postgresImage, serverImage } from '../node/images.ts'
import { createNetworkNamespace } from '../node/network-namespace.ts'
import { namespace, rolledOut, seconds, type ProofContext } from '../node/proof.ts'
import { proveControl, proveCounter } from '../node/proofs/counter.ts'
import { proveMessageStore } from '../node/proofs/message-store.ts'
import { proveScaler } from '../node/proofs/scaler.ts'
import { startNode } from '../node/start-node.ts'
import { databaseVolume, volumes } from '../node/volumes.ts'

/** Images of ours, Redis and PostgreSQL on a real kubelet: rolled out under load, killed, scaled, rolled back. */
export const node: Level = async ({ folder, binaries, kustomize, table }) => {
  const redis = await promisify(execFile)('which', ['redis-server']).catch(() => {
    throw new Error('this level needs redis-server to make an image of: apt-get install redis-server')
  })
  const ours = ['counter', 'message-store', 'scaler'].map((app) => join(root, 'deploy/dist', app, 'image.tar'))
  const missing = ours.find((path) => !existsSync(path))
  if (missing !== undefined) throw new Error(`${missing} is missing: IMAGE_ENGINE=none npm run nx -- run-many -t image`)
  const servers = [
    await pauseImage(folder),
    await serverImage(folder, 'redis', redis.stdout.trim()),
    await postgresImage(folder),
  ]
  const database = await databaseVolume(folder)

  const started = performance.now()
  await using network = await createNetworkNamespace()
  await using cluster = await startNode(folder, binaries, network, [...servers, ...ours])
  const { kubectl } = cluster.plane
  const daemons = [...cluster.daemons, ...cluster.plane.daemons]
  const context: ProofContext = { kubectl, daemons, table, enter: network.enter, folder }
  table.add('a real node, ready', seconds(started))
  const overlay = await render(kustomize, join(deployFolder, 'overlays/small-node'))
  await kubectl.apply([
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    ...(await volumes(folder)),
  ])
  await kubectl.apply([database.volume, database.secret(namespace)])
  await kubectl.apply(overlay)
  await Promise.all(
    ['deployment/redis', 'deployment/counter', 'statefulset/message-store'].map((what) => rolledOut(context, what)),
  )
  table.add('redis, counter and message store ready, from nothing', seconds(started))

  await proveCounter(context)
  await proveControl(context)
  await proveMessageStore(context)
  await proveScaler(context)
}
