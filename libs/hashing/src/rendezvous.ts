/**
 * Rendezvous hashing (Thaler and Ravishankar 1998): each key goes to the member with the best score, so a member that
 * leaves or joins moves only its own keys. With weights the score is `-ln(u) / weight`, which makes the shares exactly
 * proportional (Schindelhauer and Schomaker 2005).
 */
export interface Weighted {
  readonly name: string
  /** Share relative to the others; above 0. */
  readonly weight: number
}

/** 32 well-mixed bits of a text: FNV-1a, then MurmurHash3's finaliser. Not for adversaries. */
export function hash32(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    hash = Math.imul(hash ^ (code & 0xff), 0x01000193)
    if (code > 0xff) hash = Math.imul(hash ^ (code >>> 8), 0x01000193)
  }
  return mix32(hash)
}

export function mix32(value: number): number {
  let hash = value
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** Uniform in (0, 1), from the hashes of a key and of a member. */
export function unitOf(key: number, member: number): number {
  return (mix32(Math.imul(key, 0x9e3779b1) ^ member) + 0.5) / 2 ** 32
}

/** Lower is better. */
export function rendezvousScore(key: number, member: number, weight: number): number {
  return -Math.log(unitOf(key, member)) / weight
}

/** The member that owns `key`, undefined without members. Independent of the order of the members. Costs one hash each. */
export function rendezvous<M extends Weighted>(key: string, members: readonly M[]): M | undefined {
  const keyHash = hash32(key)
  let best: M | undefined
  let bestScore = Number.POSITIVE_INFINITY
  for (const member of members) {
    const score = rendezvousScore(keyHash, hash32(member.name), member.weight)
    if (score < bestScore || (score === bestScore && best !== undefined && member.name < best.name)) {
      best = member
      bestScore = score
    }
  }
  return best
}
