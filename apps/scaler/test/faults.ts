import type { FaultProxy } from '@ballast/fault-proxy'
import type { TestProcess } from '@ballast/testing'
import type { Random } from './simulator/random.ts'

/** A process of the cluster that is started again when it is gone, and its own way to the database. */
export interface Member {
  readonly name: string
  readonly proxy: FaultProxy
  readonly start: () => Promise<TestProcess>
  process: TestProcess
}

type Undo = () => Promise<void>

/** What happens to a real process or its connections; returns what ends it. */
export const realFaults: Readonly<Record<string, (member: Member) => Promise<Undo>>> = {
  async SIGKILL(member) {
    member.process.kill('SIGKILL')
    await member.process.exit
    return () => startAgain(member)
  },
  async SIGTERM(member) {
    member.process.kill('SIGTERM')
    await member.process.exit
    return () => startAgain(member)
  },
  async SIGSTOP(member) {
    member.process.kill('SIGSTOP')
    return async () => {
      member.process.kill('SIGCONT')
    }
  },
  /** As a cluster does with a node it does not hear of: there are two of that name when the first wakes up. */
  async replaced(member) {
    const former = member.process
    former.kill('SIGSTOP')
    await startAgain(member)
    return async () => {
      former.kill('SIGCONT')
      await former.exit
    }
  },
  async slow({ proxy }) {
    proxy.set({ latencyMs: 150, jitterMs: 300 })
    return async () => proxy.heal()
  },
  async cut({ proxy }) {
    proxy.cut('reset')
    return async () => {}
  },
  async refused({ proxy }) {
    proxy.set({ refuse: true })
    proxy.cut('close')
    return async () => proxy.heal()
  },
  async answersLost({ proxy }) {
    proxy.set({ drop: 'answers' })
    return async () => {
      proxy.heal()
      // What was swallowed does not come any more; a connection that waits for it would wait for its time-out.
      proxy.cut('reset')
    }
  },
}

async function startAgain(member: Member): Promise<void> {
  member.process = await member.start()
}

export function pickFault(random: Random): readonly [string, (member: Member) => Promise<Undo>] {
  const found = random.pick(Object.entries(realFaults))
  if (found === undefined) throw new Error('there are no faults')
  return found
}
