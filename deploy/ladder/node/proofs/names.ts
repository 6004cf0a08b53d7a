import { join } from 'node:path'
import pg from 'pg'
import { isOurs, isWorkload, parseObjects, type KubernetesObject } from '../../../kustomize/objects.ts'
import { deployFolder, render } from '../../../kustomize/render.ts'
import { waitFor } from '../../daemon.ts'
import { ask, rolledOut, type Proof, type ProofContext } from '../proof.ts'
import { onThisNode, seedNamespace } from '../seed.ts'
import { databaseVolume, volumeFor } from '../volumes.ts'

const rows = 10

const question = 'SELECT count(*) FROM work_items'
/** What somebody types who watched the earlier systems, word for word, and what there is to see when it works. */
const commands: readonly (readonly [words: readonly string[], sight: RegExp])[] = [
  [['logs', '-l', 'app=control-plane', '--tail=1'], /"msg":/],
  [['logs', '-l', 'app=worker', '--tail=1'], /"msg":/],
  [['logs', 'deploy/worker', '--tail=1'], /"msg":/],
  [['exec', 'deploy/redis', '--', 'redis-cli', 'HGETALL', 'workers'], /scaler-worker-0/],
  [['exec', 'deploy/redis', '--', 'redis-cli', 'XLEN', 'writes'], /^\d+$/],
  [['exec', 'postgres-0', '--', 'psql', '-U', 'user', '-d', 'mydatabase', '-c', question], new RegExp(`^ +${rows}$`)],
  [['rollout', 'restart', 'deploy/worker'], /restarted/],
]

/** The overlay `seed`, alive: commands that name its pods, users and databases are run in them. */
export const names: Proof = {
  name: 'names',
  async run(context) {
    const { kubectl, kustomize, daemons, table } = context
    const rendered = parseObjects(await render(kustomize, join(deployFolder, 'overlays/seed')))
    const { objects, addresses } = onThisNode(rendered)
    const workloads = objects.filter(isWorkload)
    const later = workloads.filter(isOurs)
    await kubectl.apply(await volumesOf(context))
    await kubectl.apply(objects.filter((object) => !later.some((workload) => workload === object)))
    await allOf(
      context,
      workloads.filter((workload) => !isOurs(workload)),
    )
    await kubectl.apply(later)
    await allOf(context, later)
    await ask(context, `http://${addresses.get('scaler')}/v1/rows`, 'POST', JSON.stringify({ count: rows }))
    await ask(context, `http://${addresses.get('load-tolerant-api')}/api/data`)

    for (const [words, sight] of commands) {
      const typed = words.map((word) => (word.includes(' ') ? `"${word}"` : word)).join(' ')
      const command = `kubectl -n ${seedNamespace} ${typed}`
      const line = await waitFor(`what ${command} shows`, daemons, async () => {
        const answer = await kubectl.run([`--namespace=${seedNamespace}`, ...words])
        return answer.split('\n').find((text) => sight.test(text))
      })
      table.add(`\`${command}\``, line.trim().slice(0, 80))
    }
    await kubectl.run(['delete', 'namespace', seedNamespace, '--timeout=180s'])
  },
}

const allOf = (context: ProofContext, workloads: readonly KubernetesObject[]): Promise<unknown> =>
  Promise.all(workloads.map(({ kind, metadata }) => rolledOut(context, `${kind}/${metadata.name}`, seedNamespace)))

async function volumesOf({ folder }: ProofContext): Promise<readonly object[]> {
  const database = await databaseVolume({
    folder,
    name: 'seed-database',
    namespace: seedNamespace,
    async prepare(url) {
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      try {
        await client.query(`CREATE ROLE "user" SUPERUSER LOGIN PASSWORD 'dev'`)
        await client.query('CREATE DATABASE mydatabase OWNER "user"')
      } finally {
        await client.end()
      }
    },
  })
  const others = await Promise.all(['redis', 'data-mongo-0'].map((claim) => volumeFor(folder, seedNamespace, claim)))
  return [database.volume, ...others]
}
