const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const short = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })

const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 4 })

/** To the last digit up to a million millions; beyond that nobody reads them. */
export function count(value: number | undefined): string {
  if (value === undefined) return '–'
  return (Math.abs(value) < 1e12 ? grouped : compact).format(value)
}

export function decimal(value: number | undefined): string {
  if (value === undefined) return '–'
  return Math.abs(value) >= 1000 ? grouped.format(value) : short.format(value)
}

export const perSecond = (value: number | undefined): string => `${decimal(value)}/s`

export function bytes(value: number | undefined): string {
  if (value === undefined) return '–'
  const power = value < 1024 ? 0 : Math.min(4, Math.floor(Math.log2(value) / 10))
  return `${decimal(value / 1024 ** power)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][power]}`
}

/** Of milliseconds. */
export function duration(ms: number | undefined): string {
  if (ms === undefined) return '–'
  if (ms < 1000) return `${decimal(ms)} ms`
  if (ms < 120_000) return `${decimal(ms / 1000)} s`
  if (ms < 7_200_000) return `${decimal(ms / 60_000)} min`
  return `${decimal(ms / 3_600_000)} h`
}

export const percent = (share: number | undefined): string => (share === undefined ? '–' : `${decimal(share * 100)} %`)

/** Seconds of a metric as milliseconds. */
export const inMs = (seconds: number | undefined): number | undefined =>
  seconds === undefined ? undefined : seconds * 1000
