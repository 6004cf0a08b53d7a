import { figure } from '../bench/table.ts'
import type { Measured } from '../bench/measure.ts'
import type { KeptSuite } from './kept-suite.ts'

/** `<!--figure counter/p99-64 ours-->0.673 ms<!--/-->`: a figure in the middle of a text, which GitHub shows without its frame. */
const place = /<!--figure (\S+) (ours|peer|ratio)-->.*?<!--\/-->/gs

/** The text with each figure as it is kept in docs/performance; so no figure of a bench is typed. Throws for a case nobody has measured. */
export function withFigures(document: string, text: string, suites: readonly KeptSuite[]): string {
  const cases = new Map(
    suites.flatMap(({ runs }) => runs.flatMap((run) => run.cases.map((each) => [each.case, each] as const))),
  )
  return text.replaceAll(place, (_, name: string, what: string) => {
    const measured = cases.get(name)
    const shown = measured && said(measured, what)
    if (shown === undefined) throw new Error(`${document}: no ${what} of ${name} is kept in docs/performance`)
    return `<!--figure ${name} ${what}-->${shown}<!--/-->`
  })
}

function said({ ours, peer, ratio, unit }: Measured, what: string): string | undefined {
  if (what === 'ratio') return ratio === null ? undefined : figure(ratio)
  const value = what === 'ours' ? ours : peer
  return value === null ? undefined : `${figure(value)} ${unit}`
}
