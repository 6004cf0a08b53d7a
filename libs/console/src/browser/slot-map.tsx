import { useEffect, useRef, useState } from 'preact/hooks'
import type { Rgb, WorkerColours } from './worker-colours.ts'

export interface SlotOwners {
  readonly version: string
  readonly names: readonly string[]
  /** Index of the owner's name; -1: nobody. */
  readonly owners: readonly number[]
  readonly targets: readonly number[]
}

export interface SlotMapProps {
  readonly map: SlotOwners
  readonly alive: ReadonlySet<string>
  readonly colours: WorkerColours
  /** Workers with this in their name stand out; '': all alike. */
  readonly wanted: string
}

/** How long a slot that changed hands stays marked. */
const markedMs = 3_000
const nobody: Rgb = [128, 132, 138]
/** Above so many colours none can be told from another: they step back, so that what has no owner or moves is seen. */
const mostColours = 24

/** One cell for each slot: its owner's colour, grey without a living owner; marked for a while when it has moved. */
export function SlotMap({ map, alive, colours, wanted }: SlotMapProps) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const seen = useRef<{ readonly version: string; readonly owners: readonly (string | undefined)[] }>(undefined)
  const moved = useRef(new Map<number, number>())
  const [columns, setColumns] = useState(256)
  const [pointed, point] = useState<number>()
  const [redrawn, redraw] = useState(0)

  useEffect(() => {
    const { current: element } = canvas
    if (element === null) return undefined
    const resized = new ResizeObserver(() => setColumns(element.clientWidth < 700 ? 128 : 256))
    resized.observe(element)
    return () => resized.disconnect()
  }, [])

  if (seen.current?.version !== map.version) {
    const owners = map.owners.map((index) => map.names[index])
    const before = seen.current?.owners
    if (before !== undefined) {
      const now = performance.now()
      for (const [slot, owner] of owners.entries()) if (owner !== before[slot]) moved.current.set(slot, now)
    }
    seen.current = { version: map.version, owners }
  }
  const rows = Math.ceil(map.owners.length / columns)
  const scale = columns === 256 ? 4 : 3

  const living = [...alive].toSorted().join('\n')
  useEffect(() => {
    const context = canvas.current?.getContext('2d')
    if (context === null || context === undefined) return undefined
    const dark = matchMedia('(prefers-color-scheme: dark)').matches
    const mark: Rgb = dark ? [255, 255, 255] : [20, 20, 20]
    const now = performance.now()
    for (const [slot, atMs] of moved.current) if (now - atMs >= markedMs) moved.current.delete(slot)
    const crowded = map.names.length > mostColours
    const paper: Rgb = dark ? [27, 31, 35] : [255, 255, 255]
    const missing = crowded ? mark : nobody
    const palette = map.names.map((name) => {
      if (!alive.has(name)) return missing
      const stands = wanted === '' ? !crowded : name.includes(wanted)
      return stands ? colours.of(name) : mixed(colours.of(name), paper)
    })
    const image = context.createImageData(columns * scale, rows * scale)
    for (const [slot, index] of map.owners.entries()) {
      const target = map.targets[slot] ?? -1
      const owner = palette[index] ?? missing
      const core = moved.current.has(slot)
        ? mark
        : target >= 0 && target !== index
          ? (palette[target] ?? missing)
          : owner
      paint(image, (slot % columns) * scale, Math.floor(slot / columns) * scale, scale, owner, core)
    }
    context.putImageData(image, 0, 0)
    if (moved.current.size === 0) return undefined
    const timer = setTimeout(() => redraw((count) => count + 1), 1_000)
    return () => clearTimeout(timer)
    // Samples come twice a second, and most of them change nothing here.
  }, [map, living, columns, redrawn, wanted])

  const slotAt = (event: PointerEvent): void => {
    const { current: element } = canvas
    if (element === null) return
    const box = element.getBoundingClientRect()
    const column = Math.floor(((event.clientX - box.left) / box.width) * columns)
    const row = Math.floor(((event.clientY - box.top) / box.height) * rows)
    point(Math.min(map.owners.length - 1, Math.max(0, row * columns + column)))
  }
  const owner = pointed === undefined ? undefined : map.names[map.owners[pointed] ?? -1]
  const summary = `${map.owners.length} slots; the table of workers says how many each of them owns.`
  return (
    <>
      <canvas
        ref={canvas}
        class="slots"
        role="img"
        aria-label={`Map of ${summary}`}
        width={columns * scale}
        height={rows * scale}
        onPointerMove={slotAt}
        onPointerLeave={() => point(undefined)}
      />
      <p class="note">
        {pointed === undefined
          ? `${map.owners.length.toLocaleString('en')} slots. ${map.names.length > mostColours ? 'Darkest or lightest' : 'Grey'}: no living owner. A core of another colour: on its way, or just moved.`
          : `Slot ${pointed}: ${owner ?? 'nobody'}${owner !== undefined && !alive.has(owner) ? ', who does not live' : ''}`}
      </p>
    </>
  )
}

const mostlyLast = (one: number, other: number): number => Math.round((one + 3 * other) / 4)

/** Three parts of the second. */
const mixed = (one: Rgb, other: Rgb): Rgb => [
  mostlyLast(one[0], other[0]),
  mostlyLast(one[1], other[1]),
  mostlyLast(one[2], other[2]),
]

function paint(image: ImageData, left: number, top: number, size: number, edge: Rgb, core: Rgb): void {
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const inner = x > 0 && y > 0 && x < size - 1 && y < size - 1
      const at = 4 * ((top + y) * image.width + left + x)
      const colour = inner ? core : edge
      image.data[at] = colour[0]
      image.data[at + 1] = colour[1]
      image.data[at + 2] = colour[2]
      image.data[at + 3] = 255
    }
  }
}
