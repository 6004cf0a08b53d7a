import { realSurroundings, type Surroundings } from './surroundings.ts'

export interface Repeating {
  /** Resolves when the step that is running has ended. */
  stop(): Promise<void>
}

export interface RepeatOptions {
  step(): Promise<void>
  /** From the end of one step to the start of the next. */
  pauseMs(): number
  /** A step that fails is reported and tried again after the usual pause. */
  failed(error: unknown): void
}

/** Runs `step` again and again, one at a time, until stopped. */
export function repeat(options: RepeatOptions, { delay }: Pick<Surroundings, 'delay'> = realSurroundings): Repeating {
  const stopping = new AbortController()
  const run = async () => {
    while (!stopping.signal.aborted) {
      try {
        await options.step()
      } catch (error) {
        options.failed(error)
      }
      await delay(options.pauseMs(), stopping.signal)
    }
  }
  const running = run()
  return {
    async stop() {
      stopping.abort()
      await running
    },
  }
}
