import { setTimeout as delay } from 'node:timers/promises'
import { waitFor } from '../daemon.ts'
import { containerOf, killContainer, podsOf } from './pods.ts'
import { seconds, type ProofContext } from './proof.ts'

/** SIGKILL for the first pod of a selector, after three seconds of load; how long it took until it was ready again, in a new container. */
export async function killOne(context: ProofContext, selector: string): Promise<string> {
  await delay(3_000)
  const [victim] = await podsOf(context, selector)
  const begun = performance.now()
  await killContainer(context, victim)
  await waitFor('the restart', context.daemons, async () => {
    const pods = await podsOf(context, selector)
    const again = pods.find(({ metadata }) => metadata.name === victim?.metadata.name)
    const ready = again?.status.conditions?.find(({ type }) => type === 'Ready')?.status === 'True'
    return again !== undefined && ready && containerOf(again) !== containerOf(victim) ? true : undefined
  })
  return seconds(begun)
}
