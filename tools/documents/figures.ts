import type { Measured } from '../bench/measure.ts'
import { suites as benches } from '../bench/suites/index.ts'
import { figure } from '../bench/table.ts'
import type { KeptSuite } from './kept-suite.ts'

/** `<!--figure counter/p99-64 ours-->0.673 ms<!--/-->`: a figure in the middle of a text, which GitHub shows without its frame. */
const place = /<!--figure (\S+) (ours|peer|ratio)-->.*?<!--\/-->/gs

/** Units of what is a ratio by itself, which the text says of what. */
const bare = new Set(['max/mean', 'of the minimum'])

const casesOfBenches = new Set(benches.flatMap(({ cases }) => cases.map(({ name }) => name)))

/**
 * The text with each figure as it is kept in docs/performance, so that no figure of a bench is typed; one that nobody has kept yet is said
 * to be so. Throws for a case that no bench has.
 */
export function withFigures(
  document: string,
  text: string,
  suites: readonly KeptSuite[],
  known: ReadonlySet<string> = casesOfBenches,
): string {
  const kept = new Map(
    suites.flatMap(({ runs }) => runs.flatMap((run) => run.cases.map((each) => [each.case, each] as const))),
  )
  return text.replaceAll(place, (_, name: string, what: string) => {
    const measured = kept.get(name)
    const shown = measured === undefined && known.has(name) ? '(not measured yet)' : measured && said(measured, what)
    if (shown === undefined) throw new Error(`${document}: no bench has the figure ${name} ${what}`)
    return `<!--figure ${name} ${what}-->${shown}<!--/-->`
  })
}

function said({ ours, peer, ratio, unit }: Measured, what: string): string | undefined {
  if (what === 'ratio') return ratio === null ? undefined : figure(ratio)
  const value = what === 'ours' ? ours : peer
  return value === null ? undefined : `${figure(value)} ${bare.has(unit) ? '' : unit}`.trim()
}
