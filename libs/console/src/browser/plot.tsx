import { useEffect, useRef } from 'preact/hooks'
import UPlot from 'uplot'
import { decimal } from '../views/format.ts'
import type { Value } from './feeds.ts'
import type { Plot } from '../views/view.ts'

/** Two minutes, or what there is of them: a page that was just opened is not to show a sliver. */
const spanS = { least: 30, most: 120 }
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 })
const colour = (element: Element, name: string): string => getComputedStyle(element).getPropertyValue(name).trim()

/** Two minutes of a few lines; the words under it say the last values, so that nothing is told by colour or shape alone. */
export function PlotView({
  plot,
  data,
  height,
}: {
  readonly plot: Plot
  readonly data: readonly (readonly Value[])[] | undefined
  readonly height: number
}) {
  const place = useRef<HTMLDivElement>(null)
  const drawn = useRef<UPlot>(undefined)
  const drawnUpTo = useRef<Value>(undefined)
  const latest = plot.lines.map(({ label }, index) => ({ label, value: data?.[index + 1]?.at(-1) ?? undefined }))

  useEffect(() => {
    const { current: element } = place
    if (element === null) return undefined
    const draw = (): void => {
      drawn.current?.destroy()
      drawn.current = new UPlot(optionsOf(plot, element, height), [[], ...plot.lines.map(() => [])], element)
      drawnUpTo.current = undefined
    }
    draw()
    const resized = new ResizeObserver(() => drawn.current?.setSize({ width: element.clientWidth, height }))
    resized.observe(element)
    const dark = matchMedia('(prefers-color-scheme: dark)')
    dark.addEventListener('change', draw)
    return () => {
      dark.removeEventListener('change', draw)
      resized.disconnect()
      drawn.current?.destroy()
      drawn.current = undefined
    }
  }, [plot, height])

  useEffect(() => {
    if (data === undefined || data.length === 0 || drawn.current === undefined) return
    // Other services tell more often than this one; drawing what stands there would be most of the work of the page.
    const last = data[0]?.at(-1)
    if (last === drawnUpTo.current) return
    drawnUpTo.current = last
    // uPlot reads them at once; the rows are kept and grown elsewhere.
    drawn.current.setData(data as UPlot.AlignedData)
  })

  return (
    <figure class="plot">
      <figcaption>
        {plot.title}
        {plot.unit !== '' && plot.unit !== '/s' && <span class="unit"> in {plot.unit}</span>}
      </figcaption>
      <div ref={place} aria-hidden="true" style={{ height: `${height}px` }} />
      <ul class="legend">
        {latest.map(({ label, value }, index) => (
          <li key={label}>
            <span class={`key line-${index}`} aria-hidden="true" />
            {label} <b>{decimal(value)}</b>
          </li>
        ))}
      </ul>
    </figure>
  )
}

function spanOf(min: number | null, max: number): [number, number] {
  const known = min === null ? 0 : max - min
  return [max - Math.min(spanS.most, Math.max(spanS.least, known)), max]
}

/** Where all is zero the scale ends at 1, and the parts between say nothing. */
const ofNothing: UPlot.Axis.Filter = (drawn, splits) =>
  drawn.scales['y']?.max === 1 ? splits.map((value) => (Number.isInteger(value) ? value : null)) : splits

/** Null: not shown. */
function labelOf(value: number | null): string {
  if (value === null) return ''
  return value < 10_000 ? decimal(value) : compact.format(value)
}

/** There is no quarter of a slot. */
const wholeSteps = Array.from({ length: 12 }, (_, power) => [1, 2, 5].map((step) => step * 10 ** power)).flat()

function optionsOf(plot: Plot, element: HTMLElement, height: number): UPlot.Options {
  const ink = colour(element, '--quiet')
  const grid = { stroke: colour(element, '--rule'), width: 1 }
  const axis = { stroke: ink, font: '11px system-ui, sans-serif', ticks: { show: false }, grid }
  return {
    width: Math.max(120, element.clientWidth),
    height,
    legend: { show: false },
    cursor: { show: false },
    // To the right there is room for half of a time.
    padding: [6, 22, 0, 0],
    scales: {
      x: { time: true, range: (_plot, min, max) => spanOf(min, max ?? Date.now() / 1000) },
      // From zero, or a small change would look like a large one.
      y: { range: (_plot, _min, max) => [0, max === null || !(max > 0) ? 1 : max * 1.15] },
    },
    axes: [
      {
        ...axis,
        size: 22,
        space: 90,
        values: (_plot, splits) => splits.map((s) => new Date(s * 1000).toLocaleTimeString('en-GB')),
        grid: { show: false },
      },
      {
        ...axis,
        size: 44,
        space: 28,
        ...(plot.unit === '' && { incrs: wholeSteps }),
        filter: ofNothing,
        grid: { ...grid, filter: ofNothing },
        values: (_plot, splits) => splits.map(labelOf),
      },
    ],
    series: [
      {},
      ...plot.lines.map(({ label, bound }, index) => ({
        label,
        stroke: colour(element, `--line-${index}`),
        width: 1.5,
        points: { show: false },
        ...(bound === true && { dash: [4, 4] }),
        ...(index === 0 && { fill: colour(element, '--wash') }),
      })),
    ],
  }
}
