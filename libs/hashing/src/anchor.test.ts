import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Anchor } from './anchor.ts'
import { mix32 } from './rendezvous.ts'

/** Algorithm 1 of the paper: with each removed bucket the whole set that was left, and no cleverness. */
class Definition {
  readonly #working: number[]
  readonly #removed: { bucket: number; place: number; left: number[] }[] = []
  readonly #capacity: number

  constructor(capacity: number) {
    this.#capacity = capacity
    this.#working = Array.from({ length: capacity }, (_, bucket) => bucket)
  }

  remove(bucket: number): void {
    const place = this.#working.indexOf(bucket)
    const last = this.#working.pop()
    if (last !== undefined && last !== bucket) this.#working[place] = last
    this.#removed.push({ bucket, place, left: [...this.#working] })
  }

  add(): void {
    const back = this.#removed.pop()
    if (back === undefined) return
    const moved = this.#working[back.place]
    if (moved !== undefined) this.#working.push(moved)
    this.#working[back.place] = back.bucket
  }

  of(key: number): number {
    let bucket = mix32(key) % this.#capacity
    for (;;) {
      const gone = this.#removed.find((entry) => entry.bucket === bucket)
      if (gone === undefined) return bucket
      bucket = gone.left[mix32(Math.imul(key, 0x9e3779b1) ^ mix32(bucket + 1)) % gone.left.length] ?? -1
    }
  }

  get working(): readonly number[] {
    return this.#working
  }
}

test('equal to the definition after any removals and additions', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20), { maxLength: 60 }), (steps) => {
      const anchor = new Anchor(12, 12)
      const definition = new Definition(12)
      for (const step of steps) {
        const bucket = definition.working[step]
        if (bucket !== undefined && definition.working.length > 1) {
          anchor.remove(bucket)
          definition.remove(bucket)
        } else if (anchor.size < 12) {
          anchor.add()
          definition.add()
        }
        for (let key = 0; key < 40; key++) expect(anchor.of(key)).toBe(definition.of(key))
      }
    }),
    { numRuns: 200 },
  )
})
