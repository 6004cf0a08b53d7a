/** The terminal, npm and a script wrapper may each deliver one Ctrl-C: repeats within this time are the same one. */
const sameCtrlCMs = 500

export interface StopSignals {
  readonly stop: AbortSignal
  readonly kill: AbortSignal
}

/** First SIGINT, SIGTERM or SIGHUP: `stop`. A later one: `kill`. */
export function stopSignals(source: NodeJS.EventEmitter, now: () => number = () => performance.now()): StopSignals {
  const stop = new AbortController()
  const kill = new AbortController()
  let firstMs = 0
  const onSignal = (): void => {
    if (!stop.signal.aborted) {
      firstMs = now()
      stop.abort()
    } else if (now() - firstMs > sameCtrlCMs) kill.abort()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) source.on(signal, onSignal)
  return { stop: stop.signal, kill: kill.signal }
}
