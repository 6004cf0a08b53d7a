import type { Outcome } from './plan.ts'

const tolerance = 0.1

/** What two generators say of the same load: requests a second, the p95, and the share of errors. */
export function comparison(one: Outcome, other: Outcome): { readonly text: string; readonly agree: boolean } {
  const differences = {
    'requests a second': difference(rate(one), rate(other)),
    p95: difference(one.p95Ms, other.p95Ms),
    // A share is compared as it is: nothing and almost nothing are alike.
    errors: Math.abs(one.errorRate - other.errorRate),
  }
  const parts = Object.entries(differences).map(([name, value]) => `${name} ${(value * 100).toFixed(1)} %`)
  const agree = Object.values(differences).every((value) => value <= tolerance)
  const verdict = agree ? 'they agree within 10 %' : 'they DIFFER by more than 10 %'
  return { text: `${one.generator} and ${other.generator} differ by: ${parts.join(', ')}; ${verdict}`, agree }
}

const rate = ({ requests, seconds }: Outcome): number => requests / seconds

/** Relative to the larger one. */
function difference(one: number, other: number): number {
  const larger = Math.max(one, other)
  return larger === 0 ? 0 : Math.abs(one - other) / larger
}
