import koffi from 'koffi'

// <linux/prctl.h>
const setParentDeathSignal = 1 // PR_SET_PDEATHSIG
const kill = 9n

/**
 * From now on the kernel kills this process when the one that started it ends, also while this one is stopped (SIGSTOP)
 * and could not notice. Throws where the system cannot do that. Linux only; a parent that has ended before is not noticed.
 */
export function endWithParent(): void {
  if (process.platform !== 'linux') throw new Error(`${process.platform} knows no signal at the end of a parent`)
  const prctl: unknown = koffi.load(null).func('int prctl(int option, unsigned long, ulong, ulong, ulong)')
  if (typeof prctl !== 'function') throw new TypeError('koffi did not give a function for prctl')
  if (prctl(setParentDeathSignal, kill, 0n, 0n, 0n) !== 0)
    throw new Error(`prctl failed with error number ${koffi.errno()}`)
}
