/** A worker ends by itself when it sees that the primary is gone; the kernel ends also one that is stopped, with its socket. */
export async function endWithPrimary(): Promise<void> {
  try {
    ;(await import('@ballast/locking/end-with-parent')).endWithParent()
  } catch {
    // A system without it: a stopped worker has to be ended by hand.
  }
}
