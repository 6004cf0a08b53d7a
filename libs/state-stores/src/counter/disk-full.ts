import { NotAppliedError } from '../outcome.ts'
import { hasCode } from './file/file-system.ts'

/** A write was not applied because there is no room; reads go on, and writes do when there is room again. */
export const isDiskFull = (error: unknown): boolean =>
  error instanceof NotAppliedError && hasCode(error.cause, 'ENOSPC', 'EDQUOT')
