/** One server that can be started again on the same data and port. */
export interface Server {
  /** -1 before the first start; undefined for a container's. */
  readonly pid: number | undefined
  /** What it wrote. */
  readonly logFile: string
  /** Starts it and waits for its first good answer; rejects with its last words when it ends before. */
  start(): Promise<void>
  /** In good order. */
  stop(): Promise<void>
  kill(): Promise<void>
  pause(): Promise<void>
  resume(): Promise<void>
  /** Stops it, and removes what the machine keeps of it apart from its folder. */
  remove(): Promise<void>
}
