import type { Level } from '../level.ts'

export const node: Level = async () => {
  throw new Error('not here yet')
}
