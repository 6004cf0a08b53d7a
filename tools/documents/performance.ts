import { figure } from '../bench/table.ts'
import { keptSuites, type KeptSuite } from './kept-suite.ts'
import { ratioPlot } from './ratio-plot.ts'

/** docs/performance.md and a plot for each suite, from the figures that docs/performance/*.json keep. */
export function performanceFiles(): Readonly<Record<string, string>> {
  const suites = keptSuites()
  const files: Record<string, string> = { 'performance.md': page(suites) }
  for (const suite of suites)
    if (plotted(suite).length > 0) files[`performance/${suite.suite}.svg`] = ratioPlot(suite.suite, plotted(suite))
  return files
}

const plotted = ({ cases }: KeptSuite): KeptSuite['cases'] => cases.filter(({ ratio }) => ratio !== null)

const page = (suites: readonly KeptSuite[]): string => `# Performance

How fast is it? Measure it where it will run: figures of different machines must not be compared, and those of a busy machine say
nothing but their ratios. This page is written by \`npm run docs\` from \`docs/performance/*.json\`; \`npm run docs -- --measure\` takes the
figures anew, in about as long as all suites of \`npm run bench\` take.

Ours and a peer take turns within one run; a figure is the median of its rounds, a ratio the median of the rounds' own ratios, and above
1 ours is better, whichever direction is. The spread is that of the ratios, or of the figures where there is no peer. In the
plots a bar is the ratio and the thin line its spread, on a logarithmic scale; left of 1 the peer is better.

What each case compares, and what is the same on both sides, stands in \`tools/bench/suites\`.

${suites.map(section).join('\n')}`

function section(suite: KeptSuite): string {
  const { suite: name, command, quick, machine, takenOn, cases } = suite
  const rows = cases.map(({ case: label, ours, peer, unit, ratio, spread: [low, high], rounds }) => {
    const cells = [label, figure(ours), peer === null ? '' : figure(peer), unit, ratio === null ? '' : figure(ratio)]
    return `| ${[...cells, `${figure(low)} to ${figure(high)}`, String(rounds)].join(' | ')} |`
  })
  const rough = quick ? ' A quick run: its figures are rough.' : ''
  const plot = plotted(suite).length > 0 ? [`![Ratios of ${name}](performance/${name}.svg)`, ''] : []
  return [
    `## ${name}`,
    '',
    `\`${command}\`, ${takenOn}, on ${machine}.${rough}`,
    '',
    ...plot,
    '| case | ours | peer | unit | ratio | spread | rounds |',
    '|---|--:|--:|---|--:|---|--:|',
    ...rows,
    '',
  ].join('\n')
}
