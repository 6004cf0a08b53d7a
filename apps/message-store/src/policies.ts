import { bytes, durationMs } from '@ballast/service'
import type { FamilyPolicy } from '@ballast/state-stores/blob'
import { isFamilyOfNames, ownFamilies, type Family } from './metrics.ts'

/** Whose bytes can be made again by who brought them. The others are never evicted. */
const evictable: readonly Family[] = ['bazel', 'nx', 'ccache', 'cas', 'ac']

export interface PolicySettings {
  readonly evict: readonly string[]
  /** `family=size` each. */
  readonly familyQuotas: readonly string[]
  /** `family=duration` each. */
  readonly familyTtls: readonly string[]
}

/** Throws one sentence for a family that there is not, or must not be evicted. */
export function policiesOf({
  evict,
  familyQuotas,
  familyTtls,
}: PolicySettings): Readonly<Record<string, FamilyPolicy>> {
  for (const name of evict.filter((each) => each !== 'none')) {
    if (evictable.some((each) => each === name)) continue
    throw new Error(`--evict takes ${evictable.join(', ')} or none, not ${JSON.stringify(name)}: others are kept`)
  }
  const quotas = amounts(familyQuotas, '--family-quotas', '20GiB', bytes({ help: '' }).parse)
  const ttls = amounts(familyTtls, '--family-ttls', '7d', durationMs({ help: '' }).parse)
  const policies = ownFamilies.map((family): [Family, FamilyPolicy] => {
    const quotaBytes = quotas.get(family)
    const ttlMs = ttls.get(family)
    return [
      family,
      {
        whenFull: evict.includes(family) ? 'evict' : 'keep',
        ...(quotaBytes === undefined ? {} : { quotaBytes }),
        ...(ttlMs === undefined ? {} : { ttlMs }),
      },
    ]
  })
  return Object.fromEntries(policies)
}

function amounts(
  settings: readonly string[],
  flag: string,
  example: string,
  parse: (text: string) => number | undefined,
): ReadonlyMap<string, number> {
  return new Map(
    settings.map((setting) => {
      const [family = '', text = ''] = setting.split('=', 2)
      if (!isFamilyOfNames(family)) {
        throw new Error(
          `${flag} takes <family>=${example} of ${ownFamilies.join(', ')}, not ${JSON.stringify(setting)}`,
        )
      }
      try {
        const amount = parse(text)
        if (amount !== undefined) return [family, amount]
      } catch (cause) {
        throw new Error(`${flag}: ${family} ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
      }
      throw new Error(`${flag} takes <family>=${example}, not ${JSON.stringify(setting)}`)
    }),
  )
}
