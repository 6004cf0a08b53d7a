import type { Measured } from '../bench/measure.ts'
import { figure } from '../bench/table.ts'

const width = 760
const labelWidth = 290
const rowHeight = 24
const top = 34

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')

/** Bars from 1 to the ratio with the spread as a line, on a logarithmic scale that holds all of them. Legible on white and on black. */
export function ratioPlot(title: string, cases: readonly Measured[]): string {
  const rows = cases.flatMap(({ case: label, ratio, spread: [low, high] }) => {
    return ratio === null || low <= 0 ? [] : [{ label, ratio, low, high }]
  })
  const first = Math.floor(Math.log10(Math.min(1, ...rows.map(({ low }) => low))))
  const last = Math.max(first + 1, Math.ceil(Math.log10(Math.max(1, ...rows.map(({ high }) => high)))))
  const scale = (width - labelWidth - 70) / (last - first)
  const x = (value: number): string => (labelWidth + (Math.log10(value) - first) * scale).toFixed(1)
  const height = top + rows.length * rowHeight + 10
  const decades = Array.from({ length: last - first + 1 }, (_, index) => 10 ** (first + index))
  const grid = decades.flatMap((value) => [
    `<line class="${value === 1 ? 'one' : 'grid'}" x1="${x(value)}" x2="${x(value)}" y1="${top - 8}" y2="${height - 8}"/>`,
    `<text x="${x(value)}" y="${top - 14}" text-anchor="middle">${figure(value)}</text>`,
  ])
  const bars = rows.flatMap(({ label, ratio, low, high }, index) => {
    const y = top + index * rowHeight
    const [left, right] = [Math.min(1, ratio), Math.max(1, ratio)]
    return [
      `<text x="${labelWidth - 10}" y="${y + 13}" text-anchor="end">${escaped(label)}</text>`,
      `<rect class="${ratio >= 1 ? 'better' : 'worse'}" x="${x(left)}" y="${y + 3}" width="${(Number(x(right)) - Number(x(left))).toFixed(1)}" height="13"/>`,
      `<line class="spread" x1="${x(low)}" x2="${x(high)}" y1="${y + 9.5}" y2="${y + 9.5}"/>`,
      `<text x="${(Number(x(Math.max(high, 1))) + 6).toFixed(1)}" y="${y + 13}">${figure(ratio)}</text>`,
    ]
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}: ratio of ours to its peer, by case">
<style>
text{font:12px system-ui,sans-serif;fill:#666}line.grid{stroke:#8884}line.one{stroke:#666}line.spread{stroke:#222;stroke-width:1.5}rect.better{fill:#3b8f6b}rect.worse{fill:#c0763a}
@media (prefers-color-scheme:dark){text{fill:#bbb}line.one{stroke:#aaa}line.spread{stroke:#eee}}
</style>
${[...grid, ...bars].join('\n')}
</svg>
`
}
