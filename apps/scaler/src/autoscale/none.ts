import type { ScaleTarget } from './target.ts'

/** Somebody else owns the number of workers (an HPA, KEDA, people): decisions are shown, none is carried out. */
export function noTarget(): ScaleTarget {
  return {
    name: 'none',
    current: async () => undefined,
    scaleTo: async () => {},
    workerName: (number) => `worker-${number}`,
    [Symbol.asyncDispose]: async () => {},
  }
}
