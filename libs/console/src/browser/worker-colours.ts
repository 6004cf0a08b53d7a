/** Told apart also with the common kinds of colour blindness (Okabe and Ito, 2008), and legible on light and dark. */
const first: readonly (readonly [number, number, number])[] = [
  [0, 114, 178],
  [230, 159, 0],
  [0, 158, 115],
  [204, 121, 167],
  [86, 180, 233],
  [213, 94, 0],
  [182, 170, 60],
  [120, 94, 190],
]

export type Rgb = readonly [number, number, number]

/** Keeps a worker's colour while the page is open, whoever comes and goes. */
export class WorkerColours {
  readonly #indexes = new Map<string, number>()

  of(name: string): Rgb {
    const index = this.#indexes.get(name) ?? this.#indexes.size
    this.#indexes.set(name, index)
    return first[index] ?? spread(index)
  }
}

/** Beyond the first ones: by the golden angle, so that neighbours differ most. */
function spread(index: number): Rgb {
  const hue = (index * 137.508) % 360
  const lightness = 0.42 + 0.16 * (index % 3)
  const channel = (n: number): number => {
    const k = (n + hue / 30) % 12
    const a = 0.6 * Math.min(lightness, 1 - lightness)
    return Math.round(255 * (lightness - a * Math.max(-1, Math.min(k - 3, 9 - k, 1))))
  }
  return [channel(0), channel(8), channel(4)]
}

export const css = ([r, g, b]: Rgb): string => `rgb(${r} ${g} ${b})`
