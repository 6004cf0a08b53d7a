import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { isOurs, isWorkload, parseObjects, type Workload } from '../../kustomize/objects.ts'
import { deployFolder, render } from '../../kustomize/render.ts'
import type { Level } from '../level.ts'
import { pauseImage, postgresImage, serverImage } from '../node/images.ts'
import { storeImages } from '../node/java-images.ts'
import { createNetworkNamespace } from '../node/network-namespace.ts'
import { buildImages, earlierImages, earlierRegistry, earlierRevision } from '../node/our-images.ts'
import { lastWords } from '../node/pods.ts'
import { namespace, rolledOut, seconds, type Proof, type ProofContext } from '../node/proof.ts'
import { scenarioNamespace } from '../node/proofs/disks.ts'
import { proofs } from '../node/proofs/index.ts'
import { seedNamespace } from '../node/seed.ts'
import { startNode } from '../node/start-node.ts'
import { databaseVolume, volumes } from '../node/volumes.ts'

/**
 * Images of ours and of all servers on a real kubelet: rolled from an earlier revision to this one under load, killed, scaled, rolled back. A
 * proof that fails is a row and does not keep the others from running.
 */
export const node: Level = async ({ folder, binaries, kustomize, table, resources, only, from }) => {
  const chosen = choose(only)
  const which = promisify(execFile)('which', ['redis-server', 'redis-cli'])
  const { stdout } = await which.catch(() => {
    throw new Error('this level needs redis-server and redis-cli to make an image of: apt-get install redis-server')
  })
  const [redis = '', ...clients] = stdout.trim().split('\n')
  const network = await resources.use(await createNetworkNamespace())
  const ours = await buildImages(folder, table, resources.ending)
  const revision = from ?? (await earlierRevision())
  const wanted = chosen.some(({ name }) => name === 'upgrade') ? revision : undefined
  const earlier = wanted === undefined ? [] : await earlierImages(wanted, resources.ending)
  const servers = [
    await pauseImage(folder),
    await serverImage(folder, 'redis', [redis, ...clients]),
    await postgresImage(folder),
    ...(await storeImages(folder)),
  ]
  const database = await databaseVolume({ folder, name: 'database', namespace })

  const started = performance.now()
  const namespaces = [namespace, scenarioNamespace, seedNamespace]
  const images = [...servers, ...ours, ...earlier]
  const cluster = await resources.use(await startNode(folder, binaries, network, images, namespaces))
  const { kubectl } = cluster.plane
  const context: ProofContext = {
    kubectl,
    kubeconfig: cluster.plane.kubeconfig('admin'),
    binaries,
    kustomize,
    daemons: [...cluster.daemons, ...cluster.plane.daemons],
    table,
    enter: network.enter,
    folder,
    earlier: wanted,
  }
  table.add('a real node, ready', seconds(started))
  const rendered = await render(kustomize, join(deployFolder, 'overlays/small-node'))
  const objects = parseObjects(earlier.length === 0 ? rendered : rendered.replaceAll(ourImages, earlierRegistry))
  const workloads = objects.filter(isWorkload)
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' }
  const made = namespaces.map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }))
  await kubectl.apply([...made, ...(await volumes(folder)), database.volume, scalerSecret(database.password)])
  // Servers first: an app that finds none ends, and is started again after pauses that double.
  const later = workloads.filter(isOurs)
  await kubectl.apply(objects.filter((object) => !later.some((workload) => workload === object)))
  await ready(
    context,
    workloads.filter((workload) => !isOurs(workload)),
  )
  await kubectl.apply(later)
  await ready(context, later)
  table.add(
    `${workloads.length} workloads, Redis, PostgreSQL and the stand-ins of MongoDB and S3 among them, ready, from nothing`,
    seconds(started),
  )
  if (wanted !== undefined) table.add('the images that run at first', `of ${wanted}`)

  const failed: string[] = []
  for (const { name, run } of chosen) {
    await run(context).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error)
      table.add(`${name} FAILED`, why)
      failed.push(`${name}: ${why}`)
    })
  }
  if (failed.length > 0) throw new Error(failed.join('; '))
}

/** Of the overlay; its password is as old as the level. */
const scalerSecret = (password: string): object => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'scaler', namespace },
  stringData: { store: `postgres://postgres:${password}@postgres:5432/ballast` },
})

const ourImages = /localhost\/ballast(?=\/(?:counter|message-store|scaler|load-tolerant-api):)/g

/** Rejects with what the pods say that are not. */
async function ready(context: ProofContext, workloads: readonly Workload[]): Promise<void> {
  const all = workloads.map(({ kind, metadata }) => rolledOut(context, `${kind}/${metadata.name}`))
  await Promise.all(all).catch(async (error: unknown) => {
    const said = await lastWords(context)
    throw new Error(`${error instanceof Error ? error.message : String(error)}; ${said}`, { cause: error })
  })
}

function choose(only: readonly string[] | undefined): readonly Proof[] {
  const unknown = only?.find((name) => !proofs.some((proof) => proof.name === name))
  if (unknown !== undefined)
    throw new Error(`--only knows no "${unknown}"; there are ${proofs.map(({ name }) => name).join(', ')}`)
  return only === undefined ? proofs : proofs.filter(({ name }) => only.includes(name))
}
