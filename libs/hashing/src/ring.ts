import { createHash } from 'node:crypto'
import type { Weighted } from './rendezvous.ts'

const pointsEach = 160
const pointsPerDigest = 4

/**
 * The consistent-hash ring of libketama and libmemcached (Karger et al. 1997; ketama by R. Jones 2007): the same points, so the same
 * server for each key, as clients with weighted ketama distribution and MD5 keys. For what must agree with them; `plan` balances and
 * moves better.
 *
 * 160 points a server, scaled by weight: `floor(share * 40 * servers)` digests "<name>-<i>" of four points each. The share is
 * rounded to 32 bits as there. Balance about 1 + 1/sqrt(160). One join or leave moves its own keys only with equal
 * weights; other weights change everybody's share of the points. Look-up O(log points) and one MD5; memory 8 bytes a point.
 */
export class Ring {
  readonly #names: readonly string[]
  readonly #points: Uint32Array
  readonly #owners: Int32Array

  /** @param servers each name once, as the other clients spell them: "10.0.0.1:11212", without the port if it is 11211. */
  constructor(servers: readonly Weighted[]) {
    const names = servers.map(({ name }) => name)
    if (servers.length === 0 || new Set(names).size !== names.length)
      throw new RangeError('names must be some, each once')
    const total = servers.reduce((sum, { weight }) => sum + weight, 0)
    const points: { point: number; owner: number }[] = []
    for (const [owner, { name, weight }] of servers.entries()) {
      const share = Math.fround(weight / total)
      const digests = Math.floor(
        Math.fround(Math.fround(share * (pointsEach / pointsPerDigest)) * servers.length) + 1e-10,
      )
      for (let i = 0; i < digests; i++) {
        const digest = md5(`${name}-${i}`)
        for (let at = 0; at < 16; at += 4) points.push({ point: digest.readUInt32LE(at), owner })
      }
    }
    points.sort((a, b) => a.point - b.point || a.owner - b.owner)
    this.#names = names
    this.#points = Uint32Array.from(points, ({ point }) => point)
    this.#owners = Int32Array.from(points, ({ owner }) => owner)
  }

  get points(): Readonly<Uint32Array> {
    return this.#points
  }

  /** The server of the first point at or after the key's, around the ring. */
  of(key: string): string {
    const at = md5(key).readUInt32LE(0)
    let low = 0
    let high = this.#points.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#points[middle] ?? 0) < at) low = middle + 1
      else high = middle
    }
    return this.#names[this.#owners[low === this.#points.length ? 0 : low] ?? 0] ?? ''
  }
}

function md5(text: string): Buffer {
  return createHash('md5').update(text).digest()
}
