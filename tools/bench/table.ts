import type { Measured } from './measure.ts'

const head = ['case', 'ours', 'peer', 'unit', 'ratio', 'spread', 'rounds']

/** Columns aligned for a terminal; numbers to the right. */
export function benchTable(rows: readonly Measured[]): string {
  const cells = [head, ...rows.map(cellsOf)]
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  const lines = cells.map((row) =>
    row
      .map((cell, column) => (isText(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
  return lines.join('\n')
}

const isText = (column: number): boolean => column === 0 || column === 3

function cellsOf({ case: name, ours, peer, unit, ratio, spread: [low, high], rounds }: Measured): string[] {
  const spread = `${figure(low)}..${figure(high)}`
  return [
    name,
    figure(ours),
    peer === null ? '-' : figure(peer),
    unit,
    ratio === null ? '-' : figure(ratio),
    spread,
    String(rounds),
  ]
}

/** Three significant digits, thousands grouped: 0.0123, 4.56, 12 300. */
export function figure(value: number): string {
  const rounded = Number(value.toPrecision(3))
  return Math.abs(rounded) >= 1_000 ? rounded.toLocaleString('en-US').replaceAll(',', ' ') : String(rounded)
}
