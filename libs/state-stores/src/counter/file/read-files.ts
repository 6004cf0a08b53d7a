import { basename, dirname } from 'node:path'
import { CounterState } from '../state.ts'
import { DamageError, reportDamage, UnreadableError } from './damage.ts'
import type { FileSystem } from './file-system.ts'
import { decodeRecord, logFormatVersion, readFrames } from './log-record.ts'
import { logNumber, logPath } from './log-segment.ts'
import { toRecord, toTime } from './parse.ts'
import { decodeSnapshot } from './snapshot.ts'

/** What the files of a store hold, as a reader sees it now; a crash may still take back what was written last. */
export interface Stored {
  readonly state: CounterState
  readonly commit: number
  /** There is a file. */
  readonly existed: boolean
  /** The snapshot relies on a log. */
  readonly hasLog: boolean
  /** Of snapshot and logs together. */
  readonly bytes: number
  /** All logs that are there, oldest first, also those that a snapshot has made superfluous. */
  readonly logs: readonly number[]
  /** Which process wrote the snapshot, where several do. */
  readonly writer?: string
}

/**
 * What the files hold. Rejects on what cannot be read, and leaves it as it is: with `TroubleError`, and a copy under a
 * name that says so, where it is damaged.
 */
export async function readFiles(fs: FileSystem, path: string): Promise<Stored> {
  try {
    return await readSnapshotAndLogs(fs, path)
  } catch (error) {
    throw await reportDamage(fs, path, error)
  }
}

async function readSnapshotAndLogs(fs: FileSystem, path: string): Promise<Stored> {
  const names = await fs.list(dirname(path))
  const logs = names.flatMap((name) => logNumber(basename(path), name) ?? []).toSorted((a, b) => a - b)
  const bytes = await readOrThrow(fs, path)
  if (bytes === undefined) {
    // Somebody took it away: what was acknowledged is not to be taken for nothing.
    if (logs.length > 0) throw new DamageError(`${path} is gone, and its log is there: put it back`)
    return { state: new CounterState(), commit: 0, existed: false, hasLog: false, bytes: 0, logs }
  }
  const snapshot = attempt(path, bytes, () => decodeSnapshot(bytes))
  const base = { ...snapshot, existed: true, logs }
  if (!snapshot.hasLog) return { ...base, bytes: bytes.byteLength }
  return { ...base, ...(await replay(fs, path, snapshot, logs, bytes.byteLength)) }
}

type Position = Pick<Stored, 'commit' | 'bytes'>

/** Each log is named for the commit it continues, so that a missing one cannot be overlooked. */
async function replay(
  fs: FileSystem,
  path: string,
  { state, commit: first }: Pick<Stored, 'state' | 'commit'>,
  logs: readonly number[],
  snapshotBytes: number,
): Promise<Position> {
  let [commit, total, after] = [first, snapshotBytes, -1]
  while (commit !== after) {
    after = commit
    const log = logPath(path, after)
    const bytes = await readOrThrow(fs, log)
    if (bytes === undefined) {
      if (after === first) throw new DamageError(`${log} is gone: put it back`)
      break
    }
    total += bytes.byteLength
    commit = attempt(log, bytes, () => apply(bytes, state, after))
  }
  for (const beyond of logs.filter((number) => number > commit)) {
    const log = logPath(path, beyond)
    const bytes = await readOrThrow(fs, log)
    // One without records may be what a crash left of a beginning that nobody was told of.
    if (bytes === undefined || attempt(log, bytes, () => readFrames(bytes)).length < 2) continue
    throw new DamageError(`${log} goes on after commit ${beyond}, but what leads there ends at ${commit}`)
  }
  return { commit, bytes: total }
}

/** Returns the last commit of the log. */
function apply(bytes: Buffer, state: CounterState, after: number): number {
  const [header, ...records] = readFrames(bytes)
  const { format, formatVersion, after: announced } = header === undefined ? {} : toRecord(header)
  if (format !== 'ballast-counter-log' || toTime(announced) !== after) throw new DamageError('it has no header')
  if (formatVersion !== logFormatVersion) {
    throw new Error(`its format version is ${String(formatVersion)}, this release reads ${logFormatVersion}`)
  }
  let commit = after
  for (const payload of records) {
    const record = decodeRecord(payload)
    if (record.commit !== commit + 1) throw new DamageError(`commit ${record.commit} follows on ${commit}`)
    state.advance(record.atMs)
    state.merge(record)
    commit = record.commit
  }
  return commit
}

async function readOrThrow(fs: FileSystem, path: string): Promise<Buffer | undefined> {
  try {
    const bytes = await fs.read(path)
    return bytes === undefined ? undefined : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  } catch (error) {
    throw new UnreadableError(path, error)
  }
}

function attempt<T>(path: string, content: Uint8Array, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new UnreadableError(path, error, content)
  }
}
