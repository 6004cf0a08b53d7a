import type { Proof } from '../proof.ts'
import { autoscaler } from './autoscaler.ts'
import { control, counter } from './counter.ts'
import { disks } from './disks.ts'
import { kills } from './kills.ts'
import { names } from './names.ts'
import { rest } from './rest.ts'
import { scaler } from './scaler.ts'
import { tour } from './tour.ts'
import { upgrade } from './upgrade.ts'

/** In the order in which they run: the first one finds the earlier images, the last one leaves the counter without a drain. */
export const proofs: readonly Proof[] = [upgrade, rest, counter, kills, tour, autoscaler, disks, scaler, names, control]
