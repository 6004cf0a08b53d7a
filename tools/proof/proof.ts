/** A test that also runs in `npm test`, here with the parameters for which a coffee break is too short. */
export interface Proof {
  readonly name: string
  /** What is shown when it passes. */
  readonly shows: string
  /** Measured on two cores. */
  readonly takes: string
  /** Folder of the project, and the test file in it. */
  readonly project: string
  readonly file: string
  /** Only tests with this in their title; default: all of the file. */
  readonly only?: string
  /** Read by the test. */
  readonly env: Readonly<Record<string, string>>
  /** One test of the file may take this long. */
  readonly timeoutMs: number
}
