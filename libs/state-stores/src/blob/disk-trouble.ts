/** What a retry alone does not mend: the disk has no room, or is not to be written at all. */
export type DiskTrouble = 'full' | 'read-only'

/** As Node spells them, and as LMDB counts them (errno of Linux). */
const troubles: ReadonlyMap<unknown, DiskTrouble> = new Map<unknown, DiskTrouble>([
  ...['ENOSPC', 'EDQUOT', 'EFBIG', 28, 122, 27].map((code) => [code, 'full'] as const),
  ...['EROFS', 30].map((code) => [code, 'read-only'] as const),
])

/** Why the disk did not take a write, where it is one of these; looks along the causes. */
export function diskTroubleOf(error: unknown): DiskTrouble | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    const trouble = 'code' in at ? troubles.get(at.code) : undefined
    if (trouble !== undefined) return trouble
  }
  return undefined
}
