/** Who runs the workers. They are numbered from 0 and the highest numbers go first, as in a StatefulSet. */
export interface ScaleTarget extends AsyncDisposable {
  readonly name: string
  /** Workers that it has, or has been told to have; undefined: it runs none, and only shows what would be wanted. */
  current(): Promise<number | undefined>
  /**
   * Tells it to have so many instead of the `from` that `current` has told: when it has another number by now, somebody else has scaled,
   * and nothing is done. @throws Error one sentence; nothing was changed, or it will be seen by `current`.
   */
  scaleTo(workers: number, from: number): Promise<void>
  /** The name under which the worker of this number registers. */
  workerName(number: number): string
}
