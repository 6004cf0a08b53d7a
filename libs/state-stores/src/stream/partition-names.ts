/** What an entry is called outside of its partition: the first one's keep their names. */
export const nameOf = (entry: string, partition: number): string => (partition === 0 ? entry : `${entry}@${partition}`)

/** What it is called in there. */
export function ownName(name: string): string {
  const at = name.lastIndexOf('@')
  return at < 0 ? name : name.slice(0, at)
}

export function partitionOf(name: string): number {
  const at = name.lastIndexOf('@')
  return at < 0 ? 0 : Number(name.slice(at + 1))
}

/**
 * What a dead letter is called outside when a partition before its own has one of the same id: nobody shall take the one for
 * the other, nor miss it. As a second one within a partition it has a suffix.
 */
export const letterName = (id: string, partition: number): string => `${id}/@${partition}`

/** The id that it has in its partition, and that one where the name tells. */
export function letterOf(name: string): { readonly id: string; readonly partition?: number } {
  const [, id, partition] = /^(.*)\/@(\d+)$/.exec(name) ?? []
  return id === undefined ? { id: name } : { id, partition: Number(partition) }
}

/** The URL of a partition: the first one's is that of the queue; `writes` has its kin in `writes-1`, a folder in `partition-1`. */
export function partitionUrl(url: string, partition: number): string {
  if (partition === 0) return url
  const given = url.trim()
  if (/^lmdb:/i.test(given)) return `${given.replace(/\/+$/, '')}/partition-${partition}`
  if (!/^rediss?:/i.test(given)) return given
  const [base = '', query = ''] = given.split('?', 2)
  const parameters = new URLSearchParams(query)
  parameters.set('stream', `${parameters.get('stream') ?? 'writes'}-${partition}`)
  return `${base}?${parameters.toString()}`
}
