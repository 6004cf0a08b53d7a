import type { Mutant } from '../../mutants/mutant.ts'

export const mutants: readonly Mutant[] = [
  {
    name: 'a version comes back after a removal',
    file: 'counter/fold.ts',
    line: '    lastVersion += 1n\n',
    instead: '    lastVersion = (current?.version ?? 0n) + 1n\n',
    test: 'counter/memory.test.ts',
  },
  {
    name: 'no lock',
    file: 'counter/file.ts',
    line: 'held = await unlessTaken(lock.acquire({ timeoutMs }))',
    instead: 'held = { path, release: async () => {}, [Symbol.asyncDispose]: async () => {} }',
    test: 'counter/file.test.ts',
  },
  {
    name: 'no fsync of the folder',
    file: 'counter/file/replace-file.ts',
    line: '  await fs.rename(temporary, path)\n  await timed(fs.syncFolder(dirname(path)))\n',
    instead: '  await fs.rename(temporary, path)\n',
    test: 'counter/file/crash.test.ts',
  },
  {
    name: 'a file is replaced before its fsync',
    file: 'counter/file/replace-file.ts',
    line: '      await timed(file.sync())\n',
    instead: '',
    test: 'counter/file/crash.test.ts',
  },
  {
    name: 'answered before the fdatasync of the log',
    file: 'counter/file/log-segment.ts',
    line: '    const startedMs = performance.now()\n    await this.#file.syncData()\n',
    instead: '    const startedMs = performance.now()\n    void this.#file.syncData().catch(() => {})\n',
    test: 'counter/file/crash.test.ts',
  },
  {
    name: 'a token is not written into the log',
    file: 'counter/file/log-record.ts',
    line: 'const used = [...tokens].map(',
    instead: 'const used = [...tokens].slice(tokens.size).map(',
    test: 'counter/file/crash.test.ts',
  },
  {
    name: 'the fence is not checked',
    file: 'counter/file/shared-engine.ts',
    line: '      if (!isSame(await readClaim(this.#fs, path), claim)) throw new Fenced()\n',
    instead: '',
    test: 'counter/file/shared.test.ts',
  },
  {
    name: 'whoever claims the file leaves the temporary files of others',
    file: 'counter/file/shared-engine.ts',
    line: "      if (hasCode(error, 'ENOENT')) throw new Fenced()\n",
    instead: '',
    test: 'counter/file/shared.test.ts',
  },
  {
    name: 'an older file is taken for what was acknowledged',
    file: 'counter/file/exclusive-engine.ts',
    line: '    if (stored.commit < this.#commit) throw',
    instead: '    if (stored.commit < 0) throw',
    test: 'counter/file/damage.test.ts',
  },
  {
    name: 'the client sends again by itself',
    file: 'redis/connection.ts',
    line: '      autoResendUnfulfilledCommands: false,\n      enableOfflineQueue: false,\n      maxRetriesPerRequest: 0,\n',
    instead:
      '      autoResendUnfulfilledCommands: true,\n      enableOfflineQueue: true,\n      maxRetriesPerRequest: 20,\n',
    test: 'counter/redis-faults.test.ts',
    backend: 'redis',
  },
]
