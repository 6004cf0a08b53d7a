import type { Sample } from '../sample.ts'
import { views } from './index.ts'

/** The figures of a service as aligned lines, for a terminal. */
export function textTable(now: Sample, before: Sample | undefined): string {
  const figures = views[now.service]?.figures(now, before) ?? []
  const width = Math.max(6, ...figures.map(({ label }) => label.length))
  const rows = figures.map(({ label, value }) => `  ${label.padEnd(width)}  ${value}`)
  const troubles = now.troubles.map((trouble) => `  ${'not ready'.padEnd(width)}  ${oneLine(trouble)}`)
  return [now.service, ...troubles, ...rows, ''].join('\n')
}

/** What a store said must not move the cursor of a terminal. */
// oxlint-disable-next-line no-control-regex
const oneLine = (text: string): string => text.replaceAll(/[\u0000-\u001F\u007F-\u009F]+/g, ' ')
