import { figure } from '../bench/table.ts'

/** What is kept of a suite, as far as it says how much something carries. */
interface MeasuredSuite {
  readonly suite: string
  readonly runs: readonly {
    readonly command: string
    readonly machine: string
    readonly takenOn: string
    readonly quick: boolean
    readonly cases: readonly { readonly case: string; readonly ours: number; readonly unit: string }[]
  }[]
}

/** What one process, or one deployment, was seen to carry: the suite, a case whose name begins so, and what it means. */
const carried: readonly (readonly [suite: string, beginning: string, what: string])[] = [
  ['counter', 'counter/http-256-vs-memory', 'durable increments over HTTP, one process, a file'],
  ['counter', 'counter/million-counters-rss', 'memory of a process with a million counters'],
  ['counter', 'counter/million-counters-start', 'its start'],
  ['message-store', 'message-store/post-', 'durable messages over HTTP, one process, LMDB'],
  ['message-store', 'message-store/get-vs-nginx', 'messages read over HTTP'],
  ['scaler', 'scaler/rows-at-1hz', 'rows ticked each second, one PostgreSQL'],
  ['scaler', 'scaler/join-reaction-ms', 'until a new worker has its share'],
  ['load-tolerant-api', 'load-tolerant-api/data-', 'requests of five durable writes and five reads, one process, LMDB'],
  [
    'load-tolerant-api',
    'load/338-requests-per-s',
    'the same with consumer, Redis and a store that takes 100 commands a second, two processes',
  ],
  ['load-tolerant-api', 'load/10k-rss-mb', 'memory of one of them under 10,000 users'],
]
/** Of its processor time; what the autoscalers aim at. */
const utilisation = 0.6
const wantedPerSecond = 10_000

/** docs/deploy-capacity.md: the kept figures that say how much to deploy. Nothing in it is typed. */
export function capacityPage(suites: readonly MeasuredSuite[]): string {
  const rows = carried.flatMap(([name, beginning, what]) => {
    const cases = suites
      .filter(({ suite }) => suite === name)
      .flatMap(({ runs }) => runs.flatMap((run) => run.cases))
      .filter((measured) => measured.case.startsWith(beginning))
    if (cases.length === 0) return [`| ${what} | not measured yet | | \`npm run docs -- --measure ${name}\` |`]
    return cases.map(({ case: label, ours, unit }) => {
      const replicas = unit.endsWith('/s') ? String(Math.ceil(wantedPerSecond / (ours * utilisation))) : ''
      return `| ${what} | ${figure(ours)} ${unit} | ${replicas} | \`${label}\` |`
    })
  })
  const machines = suites
    .filter(({ suite }) => carried.some(([name]) => name === suite))
    .flatMap(({ suite, runs }) => runs.map((run) => ({ suite, ...run })))
    .map(
      ({ suite, command, machine, takenOn, quick }) =>
        `- ${suite}: ${machine}; \`${command}\`, ${takenOn}${quick ? ', a quick run: rough' : ''}`,
    )
  return `# Capacity

**How many replicas, how big?** Written by \`npm run docs\` from the figures that the benchmarks kept in \`docs/performance/\`. The load generator, the
service and its store shared one machine; measure on yours before you order (\`npm run bench\`).

| what | carries | replicas for ${figure(wantedPerSecond)} a second at ${utilisation * 100} % | case |
|---|--:|--:|---|
${rows.join('\n')}

Replicas help where the store is not the limit: a counter on one PostgreSQL ends where its disk syncs end, whatever runs before it. Requests in the manifests
(\`cpu: 100m\` to \`250m\`, \`memory: 128Mi\` to \`192Mi\`) are what a pod needs at rest and under little load; [deploy-proof](deploy-proof.md) has the memory of
pods under load. Limits are on memory only: a limit on processors stalls a process that has just become busy.

Measured on:

${machines.length > 0 ? [...new Set(machines)].join('\n') : '- nothing yet'}
`
}
