import { bazel } from './bazel.ts'
import { ccache } from './ccache.ts'
import type { FamilyRoutes } from './family.ts'
import { lfs } from './lfs.ts'
import { nx } from './nx.ts'
import { oci } from './oci.ts'
import { restic } from './restic.ts'

/** The kinds of clients that are served beside our own routes; each can be switched off. */
export const families = { bazel, lfs, restic, nx, ccache, oci } as const satisfies Readonly<
  Record<string, FamilyRoutes>
>

export type FamilyName = keyof typeof families

export const familyNames = Object.keys(families).filter(isFamily)

export function isFamily(name: string): name is FamilyName {
  return Object.hasOwn(families, name)
}
