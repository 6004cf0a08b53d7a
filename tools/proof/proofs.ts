import type { Proof } from './proof.ts'

export const proofs: readonly Proof[] = [
  {
    name: 'counter-kills',
    shows: '200 kills under load: no answered increment is lost, none is doubled',
    takes: '5 min',
    project: 'apps/counter',
    file: 'test/kill.e2e.test.ts',
    env: { KILL_ROUNDS: '200' },
    timeoutMs: 1_800_000,
  },
]
