import { messageOf } from './message-of.ts'

/** A store that cannot be used as it is named: one sentence, with what to do, and never with a password. */
export const startError = (what: string, setting: string, cause?: unknown): Error =>
  new Error(`${what.replace(/\.$/, '')}, or choose another store with ${setting}`, cause === undefined ? {} : { cause })

/** Runs `open`; what it fails with is told as `startError`, when there is a setting to name. */
export async function orChooseAnother<Store>(
  setting: string | undefined,
  open: () => Promise<Store> | Store,
): Promise<Store> {
  try {
    return await open()
  } catch (error) {
    if (setting === undefined) throw error
    throw startError(messageOf(error), setting, error)
  }
}
