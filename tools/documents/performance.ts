import type { BenchResult } from '../bench/result.ts'
import { suites as benches } from '../bench/suites/index.ts'
import { figure } from '../bench/table.ts'
import { capacityPage } from './capacity.ts'
import { keptSuites, type KeptSuite } from './kept-suite.ts'
import { ratioPlot } from './ratio-plot.ts'

/** docs/performance.md, docs/deploy-capacity.md and a plot for each suite, from the figures that docs/performance/*.json keep. */
export function performanceFiles(suites: readonly KeptSuite[] = keptSuites()): Readonly<Record<string, string>> {
  const files: Record<string, string> = {
    'performance.md': page(suites),
    'deploy-capacity.md': capacityPage(suites),
  }
  for (const suite of suites)
    if (plotted(suite).length > 0) files[`performance/${suite.suite}.svg`] = ratioPlot(suite.suite, plotted(suite))
  return files
}

const plotted = ({ runs }: KeptSuite): BenchResult['cases'] =>
  runs.flatMap(({ cases }) => cases.filter(({ ratio }) => ratio !== null))

const page = (suites: readonly KeptSuite[]): string => `# Performance

How fast is it? Measure it where it will run: figures of different machines must not be compared, and those of a busy machine say
nothing but their ratios. This page is written by \`npm run docs\` from \`docs/performance/*.json\`; \`npm run docs -- --measure\` takes the
figures anew, and \`npm run docs -- --take FILE\` takes those that \`npm run bench -- <suite> --json FILE\` has written.

Ours and a peer take turns within one run; a figure is the median of its rounds, a ratio the median of the rounds' own ratios, and above
1 ours is better, whichever direction is. The spread is that of the ratios, or of the figures where there is no peer. In the
plots a bar is the ratio and the thin line its spread, on a logarithmic scale; left of 1 the peer is better.

${suites.map(section).join('\n')}`

function section(suite: KeptSuite): string {
  const { suite: name, runs } = suite
  const plot = plotted(suite).length > 0 ? [`![Ratios of ${name}](performance/${name}.svg)`, ''] : []
  return [`## ${name}`, '', ...plot, ...tables(runs)].join('\n')
}

/** Runs of which the same can be said, as of cases measured one by one, share a table. */
function tables(runs: readonly BenchResult[]): string[] {
  const alike = Map.groupBy(runs, heading)
  return [...alike].flatMap(([said, of]) => [
    said,
    '',
    '| case | ours | peer | unit | ratio | spread | rounds |',
    '|---|--:|--:|---|--:|---|--:|',
    ...of.flatMap(({ cases }) => cases.map(row)),
    '',
    ...compared(of.flatMap(({ cases }) => cases)),
  ])
}

/** Under a table, what its cases compare, and what is the same on both sides; as the suites say it now. */
function compared(cases: BenchResult['cases']): string[] {
  const said = new Map(benches.flatMap((suite) => suite.cases.map(({ name, compares }) => [name, compares] as const)))
  const lines = cases.flatMap(({ case: name }) => {
    const text = said.get(name)
    return text === undefined ? [] : [`- \`${name.slice(name.indexOf('/') + 1)}\`: ${text}`]
  })
  return lines.length === 0 ? [] : [...lines, '']
}

function heading({ command, quick, machine, takenOn, tookSeconds }: BenchResult): string {
  const rough = quick ? ' A quick run: its figures are rough.' : ''
  const took =
    tookSeconds > 0 ? ` It took ${tookSeconds < 120 ? `${tookSeconds} s` : `${Math.round(tookSeconds / 60)} min`}.` : ''
  return `\`${command}\`, ${takenOn}, on ${machine}.${took}${rough}`
}

function row({
  case: label,
  ours,
  peer,
  unit,
  ratio,
  spread: [low, high],
  rounds,
}: BenchResult['cases'][number]): string {
  const cells = [label, figure(ours), peer === null ? '' : figure(peer), unit, ratio === null ? '' : figure(ratio)]
  return `| ${[...cells, `${figure(low)} to ${figure(high)}`, String(rounds)].join(' | ')} |`
}
