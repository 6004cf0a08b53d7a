/** Rejects after `timeoutMs` and then tells `onTimeout`; what `work` does later is nobody's business any more. */
export function within<T>(work: Promise<T>, timeoutMs: number, onTimeout: () => void = () => {}): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const timer = setTimeout(() => {
    reject(new Error(`no answer within ${Math.round(timeoutMs)} ms`))
    onTimeout()
  }, timeoutMs)
  void work.then(resolve, reject).finally(() => clearTimeout(timer))
  return promise
}
